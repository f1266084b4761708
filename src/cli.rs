//! The command line: one file per command.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{Config, Flags};

mod admin;
mod import;
mod log;
mod migrate;
mod openapi;
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
    /// Start the server; an embedded database is made and brought to this version first.
    Serve {
        #[command(flatten)]
        flags: Flags,
    },
    /// Bring the database to this version.
    Migrate {
        #[command(flatten)]
        flags: Flags,
    },
    /// Print the GraphQL schema.
    Schema,
    /// Print the OpenAPI document of the REST routes, mounted as they are by default.
    Openapi,
    /// Bring users along from an older service, with their passwords.
    ///
    /// Ends with 3 if some rows became no accounts. What an earlier import made is left as it is, so an import that was
    /// cut short is repeated.
    Import(import::Import),
    /// Make administrators, and end all sessions.
    Admin {
        #[command(subcommand)]
        command: admin::Command,
    },
}

/// Runs the command that the process was started with; what goes wrong is told on standard error.
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
            // Nobody is left to tell if standard error is closed.
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
