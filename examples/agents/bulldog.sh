# shellcheck shell=sh
# bulldog.sh: what the example agents share. An agent is any program that reads
# the PAPERCLIP_* variables of its run and calls the API; here in sh and curl.

set -eu
export GIT_CONFIG_NOSYSTEM=1

# api METHOD PATH [JSON]: prints the answer. The token reaches curl over stdin,
# so no process list shows it. A server that is away (it may be restarting: runs
# outlive it) is tried again for a minute. A write whose answer got lost is not
# repeated but fails: perhaps it was done, and only the caller can tell.
api() {
    attempts=0
    while :; do
        code=0
        answer=$(printf '%s\n' "Authorization: Bearer $PAPERCLIP_API_KEY" \
            "X-Paperclip-Run-Id: $PAPERCLIP_RUN_ID" "Content-Type: application/json" |
            curl --silent --show-error --max-time 30 --write-out '\n%{http_code}' --header @- \
                --request "$1" ${3:+--data-binary "$3"} "$PAPERCLIP_API_URL/api$2" 2>&1) || code=$?
        status=${answer##*
}
        case $code:$status in
        0:2??)
            printf '%s\n' "${answer%
*}"
            return 0
            ;;
        0:5?? | 0:429 | 7:* | 6:*) ;;
        0:*)
            echo "$1 $2: $answer" >&2
            exit 1
            ;;
        *) [ "$1" = GET ] || return 1 ;;
        esac
        attempts=$((attempts + 1))
        if [ "$attempts" -gt 60 ]; then
            echo "$1 $2: the server stays away: $answer" >&2
            exit 1
        fi
        sleep 1
    done
}

# field NAME: the first text of this name in the JSON on stdin, escaped as it
# stood there, so it may go into other JSON as it is.
field() {
    grep -oE "\"$1\":\"([^\"\\\\]|\\\\.)*\"" | head -n 1 | sed -e "s/^\"$1\":\"//" -e 's/"$//'
}

# text: stdin as the inside of a JSON string.
text() {
    iconv -c -f UTF-8 -t UTF-8 | tr -d '\000-\010\013-\037' |
        sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/	/\\t/g' | awk 'NR > 1 { printf "\\n" } { printf "%s", $0 }'
}

# settle ISSUE STATUS COMMENT [FIELDS]: gives the issue a status and says why.
# Asks first: a run that is started again, or whose answer got lost, must not
# say the same thing twice.
settle() {
    until [ "$(api GET "/issues/$1" | field status)" = "$2" ]; do
        api PATCH "/issues/$1" "{\"status\":\"$2\",\"comment\":\"$3\"${4:+,$4}}" >/dev/null || sleep 1
    done
}

# commit AUTHOR MESSAGE: what changed in the working directory, if anything did.
commit() {
    git add --all
    git diff --cached --quiet && return 0
    git -c core.hooksPath=/dev/null -c commit.gpgsign=false \
        -c user.name="$1" -c user.email=agent@bulldog.invalid commit --quiet --message "$2"
}
