#!/bin/sh
# Runs in the image's entry point, after the template is filled in: of several name servers keep the first, which is the
# containers' own. nginx would ask them in turn, and the machine's does not know the services.
sed -E 's/^(resolver +[^ ;]+)[^;=]* (valid=[^;]*;)/\1 \2/' /etc/nginx/conf.d/regulars.conf >/tmp/regulars.conf
cat /tmp/regulars.conf >/etc/nginx/conf.d/regulars.conf
