//! The statements by which PostgreSQL and MariaDB create, copy, empty and drop databases.

use migration::{Migrator, MigratorTrait};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement};

/// The name prefix of every test database.
pub const PREFIX: &str = "accountd_test_";

/// A server on which tests may create databases.
#[derive(Clone)]
pub struct Server {
    pub backend: DbBackend,
    url: String,
}

/// A migrated database as template for others, and the rows that the migrations insert.
pub struct Template {
    name: String,
    tables: Vec<String>,
    /// PostgreSQL only: table and rows, as JSON.
    rows: Vec<(String, String)>,
}

impl Server {
    #[expect(clippy::disallowed_methods, reason = "a switch for the person who runs the tests")]
    pub fn from_environment() -> Option<Self> {
        let named = |backend, variable| {
            let url = std::env::var(variable).ok().filter(|url| !url.is_empty())?;
            Some(Self { backend, url })
        };
        let postgres = named(DbBackend::Postgres, "ACCOUNTD_TEST_POSTGRES");
        let mysql = named(DbBackend::MySql, "ACCOUNTD_TEST_MYSQL");
        assert!(postgres.is_none() || mysql.is_none(), "name one server, and run the tests again for the other one");
        postgres.or(mysql)
    }

    /// The URL of one of its databases.
    pub fn url(&self, database: &str) -> String {
        let (base, parameters) = self.url.split_once('?').map_or((&*self.url, ""), |(base, rest)| (base, rest));
        let authority = base.find("://").map_or(0, |begin| begin + 3);
        let end = base[authority..].find('/').map_or(base.len(), |path| authority + path);
        let separator = if parameters.is_empty() { "" } else { "?" };
        format!("{}/{database}{separator}{parameters}", &base[..end])
    }

    async fn connect(&self, url: &str) -> DatabaseConnection {
        let mut options = ConnectOptions::new(url);
        // One permanent connection: locks and settings belong to it.
        options.max_connections(1).idle_timeout(None).max_lifetime(None).sqlx_logging(false);
        Database::connect(options).await.unwrap()
    }

    /// A connection for administrative statements.
    pub async fn admin(&self) -> DatabaseConnection {
        self.connect(&self.url).await
    }

    async fn run(&self, db: &DatabaseConnection, sql: &str) {
        db.execute_unprepared(sql).await.unwrap_or_else(|error| panic!("{error}: {sql}"));
    }

    async fn texts(&self, db: &DatabaseConnection, sql: &str, values: &[&str]) -> Vec<String> {
        let values = values.iter().map(|value| (*value).into());
        let rows = db.query_all_raw(Statement::from_sql_and_values(self.backend, sql, values)).await.unwrap();
        rows.iter().filter_map(|row| row.try_get_by_index::<Option<String>>(0).unwrap()).collect()
    }

    /// Marks the databases of `run` as in use while the connection lives.
    pub async fn mark_in_use(&self, run: &str) -> DatabaseConnection {
        let admin = self.admin().await;
        match self.backend {
            DbBackend::Postgres => self.run(&admin, &format!("SET application_name = '{run}'")).await,
            _ => self.run(&admin, &format!("DO GET_LOCK('{run}', 10)")).await,
        }
        admin
    }

    pub async fn create(&self, admin: &DatabaseConnection, name: &str) {
        self.run(admin, &format!("CREATE DATABASE {name}")).await;
    }

    /// Migrates a database and makes it the template of others.
    pub async fn migrate(&self, name: &str) -> Template {
        let db = self.connect(&self.url(name)).await;
        Migrator::up(&db, None).await.unwrap();
        let tables = match self.backend {
            DbBackend::Postgres => "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'",
            _ => "SELECT CAST(table_name AS CHAR) FROM information_schema.tables WHERE table_schema = DATABASE()",
        };
        let tables = self.texts(&db, tables, &[]).await;
        let mut rows = Vec::new();
        if self.backend == DbBackend::Postgres {
            for table in &tables {
                let json = self.texts(&db, &format!("SELECT json_agg(row)::text FROM \"{table}\" row"), &[]).await;
                rows.extend(json.into_iter().map(|json| (table.clone(), json)));
            }
        }
        db.close().await.unwrap();
        Template { name: name.to_owned(), tables, rows }
    }

    /// Creates a database from the template.
    pub async fn copy(&self, admin: &DatabaseConnection, name: &str, template: &Template) {
        if self.backend == DbBackend::Postgres {
            return self.run(admin, &format!("CREATE DATABASE {name} TEMPLATE {}", template.name)).await;
        }
        self.create(admin, name).await;
        let db = self.connect(&self.url(name)).await;
        self.run(&db, "SET FOREIGN_KEY_CHECKS = 0").await;
        for table in &template.tables {
            let made = format!("SHOW CREATE TABLE {}.`{table}`", template.name);
            let row = db.query_one_raw(Statement::from_sql_and_values(self.backend, made, [])).await.unwrap().unwrap();
            self.run(&db, &row.try_get_by_index::<String>(1).unwrap()).await;
            self.run(&db, &format!("INSERT INTO `{table}` SELECT * FROM {}.`{table}`", template.name)).await;
        }
        db.close().await.unwrap();
    }

    /// Resets a used database: to the template, or to empty.
    pub async fn reset(&self, admin: &DatabaseConnection, name: &str, template: Option<&Template>) {
        // Remaining tasks of a test must not write into the next one's database.
        let others = match self.backend {
            DbBackend::Postgres => "SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity WHERE datname = $1",
            _ => "SELECT CAST(id AS CHAR) FROM information_schema.processlist WHERE db = ?",
        };
        for id in self.texts(admin, others, &[name]).await {
            if self.backend == DbBackend::MySql {
                // It may have ended by itself.
                admin.execute_unprepared(&format!("KILL {id}")).await.ok();
            }
        }
        match (self.backend, template) {
            (DbBackend::Postgres, None) => {
                let db = self.connect(&self.url(name)).await;
                self.run(&db, "DROP SCHEMA public CASCADE; CREATE SCHEMA public").await;
                db.close().await.unwrap();
            }
            (_, None) => self.run(admin, &format!("DROP DATABASE {name}; CREATE DATABASE {name}")).await,
            (DbBackend::Postgres, Some(template)) => {
                let db = self.connect(&self.url(name)).await;
                let filled = |table: &String| format!("SELECT '{table}' WHERE EXISTS (SELECT 1 FROM \"{table}\")");
                let filled: Vec<String> = template.tables.iter().map(filled).collect();
                let filled = self.texts(&db, &filled.join(" UNION ALL "), &[]).await;
                // TRUNCATE creates new files for each table and each index, and waits for the disk for all of them.
                let empty: String = filled.iter().map(|table| format!("DELETE FROM \"{table}\"; ")).collect();
                let restart = "SELECT setval(quote_ident(sequencename)::regclass, 1, false) FROM pg_sequences
                               WHERE schemaname = 'public'";
                let quickly = "SET session_replication_role = replica; SET synchronous_commit = off";
                self.run(&db, &format!("{quickly}; {empty}{restart}")).await;
                for (table, json) in &template.rows {
                    let json = json.replace('\'', "''");
                    let rows = format!("json_populate_recordset(NULL::\"{table}\", '{json}')");
                    self.run(&db, &format!("INSERT INTO \"{table}\" SELECT * FROM {rows}")).await;
                    if json.contains("\"id\":") {
                        let last = format!("(SELECT MAX(id) FROM \"{table}\")");
                        let numbers = format!("pg_get_serial_sequence('\"{table}\"', 'id')");
                        self.run(&db, &format!("SELECT setval({numbers}, {last})")).await;
                    }
                }
                db.close().await.unwrap();
            }
            (_, Some(template)) => {
                let db = self.connect(&self.url(name)).await;
                self.run(&db, "SET FOREIGN_KEY_CHECKS = 0").await;
                for table in &template.tables {
                    let some = format!("SELECT 'some' FROM `{table}` LIMIT 1");
                    if !self.texts(&db, &some, &[]).await.is_empty() {
                        self.run(&db, &format!("TRUNCATE `{table}`")).await;
                    }
                    self.run(&db, &format!("INSERT INTO `{table}` SELECT * FROM {}.`{table}`", template.name)).await;
                }
                db.close().await.unwrap();
            }
        }
    }

    /// Drops the databases of ended runs, and returns their names.
    pub async fn drop_leftovers(&self, admin: &DatabaseConnection) -> Vec<String> {
        let leftovers = match self.backend {
            DbBackend::Postgres => {
                "SELECT datname::text FROM pg_database WHERE starts_with(datname, $1) AND NOT EXISTS (
                    SELECT FROM pg_stat_activity WHERE starts_with(datname, application_name || '_')
                    AND starts_with(application_name, $1))"
            }
            _ => {
                "SELECT CAST(schema_name AS CHAR) FROM information_schema.schemata
                 WHERE LEFT(schema_name, CHAR_LENGTH(?)) = ? AND IS_FREE_LOCK(SUBSTRING_INDEX(schema_name, '_', 3)) = 1"
            }
        };
        let values: &[&str] = if self.backend == DbBackend::Postgres { &[PREFIX] } else { &[PREFIX, PREFIX] };
        let names = self.texts(admin, leftovers, values).await;
        for name in &names {
            let force = if self.backend == DbBackend::Postgres { " WITH (FORCE)" } else { "" };
            // The reaper of another run may have been faster.
            admin.execute_unprepared(&format!("DROP DATABASE IF EXISTS {name}{force}")).await.ok();
        }
        names
    }
}
