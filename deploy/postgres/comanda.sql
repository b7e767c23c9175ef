-- Run by the image once, on an empty volume, as the superuser. What api and worker log in with owns its database and nothing
-- else: whoever takes a process over can neither read files of the server, run programs there nor make roles.
\getenv password COMANDA_PASSWORD
create role comanda login nosuperuser nocreatedb nocreaterole noreplication password :'password';
create database comanda owner comanda template template0 encoding 'UTF8';
revoke all on database comanda, postgres, template1 from public;
