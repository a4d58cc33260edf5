#!/bin/bash
# curl as a client of streams: a loop that reads lines, keeps the last id and asks again. See README.md.
set -u
url=$1
command -v curl >/dev/null || { echo "curl is not installed" >&2; exit 77; }

last_id=''
retry_ms=1000
while :; do
  name='' data='' id=$last_id
  while IFS= read -r line; do
    case $line in
    "")
      last_id=$id
      at=${EPOCHREALTIME/./}
      case $name in
      n) printf '{"name":"n","id":"%s","at":%s,"data":%s}\n' "$id" "${at%???}" "$data" ;;
      gap) printf '{"name":"gap","id":"%s","at":%s,"data":null}\n' "$id" "${at%???}" ;;
      esac
      name='' data=''
      ;;
    "id: "*) id=${line#id: } ;;
    "event: "*) name=${line#event: } ;;
    "data: "*) data=${line#data: } ;;
    "retry: "*) retry_ms=${line#retry: } ;;
    esac
  done < <(exec curl --silent --fail --no-buffer --header "Accept: text/event-stream" \
    ${last_id:+--header "Last-Event-ID: $last_id"} "$url")
  echo '{"name":"ended"}'
  printf -v seconds '%d.%03d' $((retry_ms / 1000)) $((retry_ms % 1000))
  sleep "$seconds"
done
