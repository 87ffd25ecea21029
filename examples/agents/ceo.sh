#!/bin/sh
# The CEO: splits the goal into two parts, hands them to the engineers, and sums
# up when both are done. Woken twice: when the goal is assigned, and when its
# children are completed. What to do is read from the state of things, never
# from memory, so that a run may be killed anywhere and started again.
. "$(dirname "$0")/bulldog.sh"

goal=$PAPERCLIP_TASK_ID
issue=$(api GET "/issues/$goal")
# Named after the goal; the end of its id keeps it apart from the same number of an earlier company.
branch=report/$(echo "$issue" | field identifier | tr '[:upper:]' '[:lower:]')-$(echo "$goal" | cut -c 31-)
agents=$(api GET "/companies/$PAPERCLIP_COMPANY_ID/agents" | tr '{' '\n')

# Both parts are done on one branch, in a worktree that Bulldog makes when the first of them starts.
base=$(git rev-parse HEAD)
where="{\"mode\":\"operator_branch\",\"workspaceStrategy\":{\"type\":\"git_worktree\",\"baseRef\":\"$base\",
    \"branchTemplate\":\"$branch\",\"worktreeParentDir\":\"$(printf %s "$REPORT_DIR/worktrees" | text)\"}}"

# part KEY AGENT TITLE TEXT BLOCKERS: the child issue; the key makes it once.
part() {
    assignee=$(echo "$agents" | grep "\"name\":\"$2\"" | field id)
    body="{\"parentId\":\"$goal\",\"idempotencyKey\":\"$1:$goal\",\"title\":\"$3\",\"description\":\"$4\",
        \"assigneeAgentId\":\"$assignee\",\"blockedByIssueIds\":[${5:-}],\"executionWorkspaceSettings\":$where}"
    until api POST "/companies/$PAPERCLIP_COMPANY_ID/issues" "$body"; do sleep 1; done
}

echo "looking after the two parts of the goal"
stats=$(part stats Statistician "Count contributors and hot files" \
    "Count commits by author and changes by file over the whole history.\n\nBranch: $branch\nBase: $base")
stats_id=$(echo "$stats" | field id)
report=$(part report Writer "Write REPORT.md" \
    "Turn the statistics into a report that people like to read.\n\nBranch: $branch" "\"$stats_id\"")
report_id=$(echo "$report" | field id)

case "$(echo "$stats" | field status) $(echo "$report" | field status)" in
"done done")
    echo "both parts are done: summing up"
    summary=$(api GET "/issues/$report_id/comments?order=desc&limit=1" | field body)
    settle "$goal" "done" "The report is published.\n\n$summary"
    ;;
*cancelled*)
    settle "$goal" cancelled "A part of the work was cancelled, so there will be no report."
    ;;
*)
    echo "waiting for the Statistician and the Writer"
    # Refused when the parts have become done meanwhile: then look again, once.
    (settle "$goal" blocked "Two parts: the Statistician counts, then the Writer writes." \
        "\"blockedByIssueIds\":[\"$stats_id\",\"$report_id\"]") || {
        [ -z "${AGAIN:-}" ] || exit 1
        AGAIN=1 exec sh "$0"
    }
    ;;
esac
