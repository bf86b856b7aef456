-- The database and its roles, as docs/production.md section 1 makes them; a test holds the two to each other.
-- psql runs it once, when compose.yaml starts PostgreSQL on an empty volume. The passwords come from the environment.
\getenv owners_password DATABASE_OWNER_PASSWORD
\getenv apps_password DATABASE_APP_PASSWORD

CREATE ROLE portal_owner LOGIN PASSWORD :'owners_password' NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
CREATE ROLE portal_app LOGIN PASSWORD :'apps_password' NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS NOINHERIT;
CREATE ROLE portal_sign_in NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
GRANT portal_sign_in TO portal_app;
CREATE DATABASE portal OWNER portal_owner TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8';
REVOKE ALL ON DATABASE portal FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE portal TO portal_app;
ALTER ROLE portal_app IN DATABASE portal SET statement_timeout = '15s';
ALTER ROLE portal_app IN DATABASE portal SET lock_timeout = '3s';
ALTER ROLE portal_app IN DATABASE portal SET idle_in_transaction_session_timeout = '60s';
