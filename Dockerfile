# The portal's image and its proxy's. compose.yaml builds both; docs/production.md, section 10, says how to start them.

FROM python:3.11-slim-bookworm AS packages
COPY requirements.txt /tmp/requirements.txt
# Exactly the locked packages. Wheels only: nothing is compiled, and no package's own build script runs.
RUN python -m venv /opt/portal/portal/.venv \
    && /opt/portal/portal/.venv/bin/pip install --no-cache-dir --require-hashes --only-binary :all: --requirement /tmp/requirements.txt

FROM python:3.11-slim-bookworm AS portal
# A number that no user of the host is likely to have, should a process ever leave its container.
RUN useradd --system --user-group --uid 10001 --home-dir /opt/portal --shell /usr/sbin/nologin portal \
    && install --directory --owner portal --group portal --mode 0700 /var/lib/portal
WORKDIR /opt/portal/portal
COPY --from=packages /opt/portal/portal/.venv .venv
COPY config config
COPY dashboards dashboards
COPY demo demo
COPY local local
COPY migrations migrations
COPY portal portal
COPY workers workers
# Compiled here: in a container the files are read-only, and every start would compile them again.
RUN .venv/bin/python -m compileall -q config dashboards demo local migrations portal workers
ENV PYTHONPATH=/opt/portal/portal PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
ENTRYPOINT ["/opt/portal/portal/.venv/bin/python", "-P", "-m"]
CMD ["gunicorn", "--config", "config/gunicorn.py", "portal.app:create_app()"]

FROM nginx:1.30 AS proxy
COPY config/nginx.conf /etc/nginx/nginx.conf
# What differs in a container: nginx never runs as root, and a web container that is made again has another address,
# which is asked for again within five seconds. The address people type (server_name) may stay, because here the first server
# answers every name: the portal itself refuses those it does not have.
RUN sed -i \
        -e '/^user /d' \
        -e 's/server_tokens off;/& resolver 127.0.0.11 valid=5s ipv6=off;/' \
        -e 's/least_conn;/zone web 64k; &/' \
        -e 's/server 127.0.0.1:8000 /server web:8000 resolve /' \
        -e 's/ default_server//' \
        /etc/nginx/nginx.conf \
    && grep -q 'server web:8000 resolve ' /etc/nginx/nginx.conf \
    && ln -s /dev/stdout /var/log/nginx/portal.log \
    && chown 101:101 /var/cache/nginx
# nginx's own user in its image.
USER 101:101
