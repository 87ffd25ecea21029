#!/bin/sh
# The Writer: makes REPORT.md from the Statistician's tables and commits it to the
# same branch. Woken when the statistics, which block its issue, are done.
. "$(dirname "$0")/bulldog.sh"

branch=$(api GET "/issues/$PAPERCLIP_TASK_ID" | grep -o 'Branch: report/[a-z0-9-]*' | head -n 1 | cut -c 9-)
repo=${PAPERCLIP_WORKSPACE_CWD:-$PWD}
tree=${REPORT_DIR:-$PAPERCLIP_SCRATCH_DIR}/tree

worktree "$repo" "$branch" "$tree"
people=$(wc -l <"$tree/report/contributors.tsv" | tr -d ' ')
first=$(head -n 1 "$tree/report/contributors.tsv" | cut -f 2)
hottest=$(head -n 1 "$tree/report/hot-files.tsv" | cut -f 2)

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
    rows person "$tree/report/contributors.tsv"
    printf '\n## Hot files\n\nFiles that change often are where the next bug will be.\n\n'
    rows file "$tree/report/hot-files.tsv"
} >"$tree/REPORT.md"

commit "$tree" Writer "Write the report"
echo "committed REPORT.md to $branch"
settle "$PAPERCLIP_TASK_ID" "done" "$(
    {
        echo "REPORT.md is on \`$branch\`."
        echo "- $people contributors, most commits by $first"
        echo "- the hottest file is \`$hottest\`"
    } | text
)"
