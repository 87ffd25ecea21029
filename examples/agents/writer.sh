#!/bin/sh
# The Writer: makes REPORT.md from the Statistician's tables, in the same worktree
# and on the same branch. Woken when the statistics, which block its issue, are done.
. "$(dirname "$0")/bulldog.sh"

branch=$PAPERCLIP_WORKSPACE_BRANCH
people=$(wc -l <report/contributors.tsv | tr -d ' ')
first=$(head -n 1 report/contributors.tsv | cut -f 2)
hottest=$(head -n 1 report/hot-files.tsv | cut -f 2)

echo "writing about $people contributors"
# rows HEAD FILE: the first lines of a table as Markdown.
rows() {
    printf '| %s | count |\n|---|---:|\n' "$1"
    head -n 10 "$2" | sed 's/|/\\|/g' | awk -F '\t' '{ printf "| %s | %d |\n", $2, $1 }'
}
{
    echo "# Contributors and hot files"
    echo
    echo "$people people wrote this repository; most commits are by $first. The file that changed most is \`$hottest\`."
    printf '\n## Contributors\n\n'
    rows person report/contributors.tsv
    printf '\n## Hot files\n\nFiles that change often are where the next bug will be.\n\n'
    rows file report/hot-files.tsv
} >REPORT.md

commit Writer "Write the report"
echo "committed REPORT.md to $branch"
settle "$PAPERCLIP_TASK_ID" "done" "$(
    {
        echo "REPORT.md is on \`$branch\`."
        echo "- $people contributors, most commits by $first"
        echo "- the hottest file is \`$hottest\`"
    } | text
)"
