#!/bin/sh
# The Statistician: counts commits by author and changes by file, and commits the
# tables. It starts in the git worktree that Bulldog made for its issue.
. "$(dirname "$0")/bulldog.sh"

base=$(api GET "/issues/$PAPERCLIP_TASK_ID" | grep -o 'Base: [0-9a-f]*' | head -n 1 | cut -c 7-)
branch=$PAPERCLIP_WORKSPACE_BRANCH
commits=$(git rev-list --count "$base")
mkdir -p report

echo "counting contributors of $commits commits"
git shortlog --summary --numbered --no-merges "$base" | sed 's/^ *//' >report/contributors.tsv

echo "counting changes by file"
git -c core.quotePath=false log --no-merges --max-count=20000 --format= --name-only "$base" |
    sed '/^$/d' | sort | uniq -c | sort -k1,1nr -k2 | head -n 50 |
    sed -e 's/^ *//' -e 's/ /	/' >report/hot-files.tsv

commit Statistician "Count contributors and hot files"
people=$(wc -l <report/contributors.tsv | tr -d ' ')
echo "committed the statistics of $people contributors to $branch"
settle "$PAPERCLIP_TASK_ID" "done" "Counted $commits commits by $people people; the tables are in report/ on \`$branch\`."
