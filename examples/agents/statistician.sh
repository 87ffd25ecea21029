#!/bin/sh
# The Statistician: counts commits by author and changes by file, and commits the
# tables to the branch that the issue names, in a worktree of its own.
. "$(dirname "$0")/bulldog.sh"

branch=$(api GET "/issues/$PAPERCLIP_TASK_ID" | grep -o 'Branch: report/[a-z0-9-]*' | head -n 1 | cut -c 9-)
repo=${PAPERCLIP_WORKSPACE_CWD:-$PWD}
tree=${REPORT_DIR:-$PAPERCLIP_SCRATCH_DIR}/tree

worktree "$repo" "$branch" "$tree"
base=$(git -C "$repo" merge-base HEAD "$branch")
commits=$(git -C "$repo" rev-list --count "$base")
mkdir -p "$tree/report"

echo "counting contributors of $commits commits"
git -C "$repo" shortlog --summary --numbered --no-merges "$base" | sed 's/^ *//' >"$tree/report/contributors.tsv"

echo "counting changes by file"
git -C "$repo" -c core.quotePath=false log --no-merges --max-count=20000 --format= --name-only "$base" |
    sed '/^$/d' | sort | uniq -c | sort -k1,1nr -k2 | head -n 50 |
    sed -e 's/^ *//' -e 's/ /	/' >"$tree/report/hot-files.tsv"

commit "$tree" Statistician "Count contributors and hot files"
people=$(wc -l <"$tree/report/contributors.tsv" | tr -d ' ')
echo "committed the statistics of $people contributors to $branch"
settle "$PAPERCLIP_TASK_ID" "done" "Counted $commits commits by $people people; the tables are in report/ on \`$branch\`."
