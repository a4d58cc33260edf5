#!/bin/bash
# Becomes a proxy before herald's streams, as it comes from Debian and with what it does unless told
# otherwise; HAProxy with the file of deploy/haproxy. Code 77: it is not installed.
#
#   start.sh NAME PORT STREAM_PORT FOLDER
#
# NAME is nginx_http10, nginx_http11, apache, caddy or haproxy. PORT is its own on loopback, FOLDER takes
# its files.
set -eu
name=$1 port=$2 to=$3 folder=$4
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PATH=$PATH:/usr/sbin

need() {
  command -v "$1" >/dev/null && return
  echo "$1 is not installed" >&2
  exit 77
}

as_root() { [ "$(id -u)" -eq 0 ]; }

nginx_with() {
  need nginx
  {
    echo "daemon off; worker_processes 1; error_log stderr; pid $folder/pid; events {}"
    # Its workers would lose the rights to the folder.
    ! as_root || echo "user root;"
    echo "http { access_log off;"
    for kind in client_body proxy fastcgi uwsgi scgi; do
      echo "${kind}_temp_path $folder/$kind;"
    done
    echo "server { listen 127.0.0.1:$port; location / { proxy_pass http://127.0.0.1:$to; $1 } } }"
  } >"$folder/nginx.conf"
  exec nginx -e stderr -p "$folder" -c "$folder/nginx.conf"
}

case $name in
nginx_http10) nginx_with "" ;;
nginx_http11) nginx_with 'proxy_http_version 1.1; proxy_set_header Connection "";' ;;
apache)
  need apache2
  {
    echo "ServerName localhost"
    echo "Listen 127.0.0.1:$port"
    echo "PidFile $folder/pid"
    echo "DefaultRuntimeDir $folder"
    echo "ErrorLog /dev/stderr"
    # What Debian has on, and what `a2enmod proxy_http` adds.
    for module in mpm_event authz_core filter deflate mime reqtimeout setenvif proxy proxy_http; do
      for part in load conf; do
        [ ! -e "/etc/apache2/mods-available/$module.$part" ] ||
          echo "Include /etc/apache2/mods-available/$module.$part"
      done
    done
    # It does not serve as root.
    ! as_root || printf 'User www-data\nGroup www-data\n'
    echo "ProxyPass / http://127.0.0.1:$to/"
  } >"$folder/apache.conf"
  exec apache2 -D FOREGROUND -d /etc/apache2 -f "$folder/apache.conf"
  ;;
caddy)
  need caddy
  printf '{\n  admin off\n}\nhttp://127.0.0.1:%s {\n  reverse_proxy 127.0.0.1:%s\n}\n' "$port" "$to" \
    >"$folder/Caddyfile"
  export HOME=$folder XDG_CONFIG_HOME=$folder XDG_DATA_HOME=$folder
  exec caddy run --config "$folder/Caddyfile" --adapter caddyfile
  ;;
haproxy)
  need haproxy
  # Without TLS.
  sed -e "s/^    bind .*/    bind 127.0.0.1:$port/" -e "s/127\.0\.0\.1:8081/127.0.0.1:$to/" \
    "$here/../../../deploy/haproxy/haproxy.cfg" >"$folder/haproxy.cfg"
  exec haproxy -db -f "$folder/haproxy.cfg"
  ;;
*)
  echo "no such proxy: $name" >&2
  exit 2
  ;;
esac
