//! The command line: one file per command, and the log.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{Config, Flags};

mod admin;
mod import;
mod log;
mod migrate;
mod openapi;
mod operator_error;
mod schema;
mod serve;

/// Accounts, sessions, tokens and roles over GraphQL and REST.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start the server; an embedded database is created and migrated first.
    Serve {
        #[command(flatten)]
        flags: Flags,
    },
    /// Migrate the database to this version.
    Migrate {
        #[command(flatten)]
        flags: Flags,
    },
    /// Print the GraphQL schema.
    Schema,
    /// Print the OpenAPI document of the REST routes at their default mounts.
    Openapi,
    /// Import users from another service, with their passwords.
    ///
    /// Exits with 3 if some rows were not imported. Users that an earlier import created stay unchanged, so an
    /// interrupted import can be repeated.
    Import(import::Import),
    /// Create administrators, and end all sessions.
    Admin {
        #[command(subcommand)]
        command: admin::Command,
    },
}

/// Runs the command of the process arguments; errors go to standard error.
pub fn run(environment: impl IntoIterator<Item = (String, String)>) -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Serve { flags } => run_with_config(flags, environment, serve::run),
        Command::Migrate { flags } => run_with_config(flags, environment, migrate::run),
        Command::Schema => schema::run().map(|()| ExitCode::SUCCESS),
        Command::Openapi => openapi::run().map(|()| ExitCode::SUCCESS),
        Command::Import(import) => {
            run_with_config(import.flags.clone(), environment, |config| import::run(config, import))
        }
        Command::Admin { command: admin::Command::Create(create) } => {
            run_with_config(create.flags.clone(), environment, |config| admin::create(config, create))
        }
        Command::Admin { command: admin::Command::EndAllSessions { flags, api_tokens } } => {
            run_with_config(flags, environment, |config| admin::end_all_sessions(config, api_tokens))
        }
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            // If standard error is closed, nothing remains to report to.
            std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("accountd: {error:#}\n")).ok();
            ExitCode::FAILURE
        }
    }
}

fn run_with_config<CommandFuture>(
    flags: Flags,
    environment: impl IntoIterator<Item = (String, String)>,
    command: impl FnOnce(Config) -> CommandFuture,
) -> anyhow::Result<ExitCode>
where
    CommandFuture: Future<Output = anyhow::Result<ExitCode>>,
{
    let config = Config::load(flags, environment)?;
    log::init(&config.log)?;
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(command(config))
}
