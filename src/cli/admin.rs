//! `accountd admin`: what somebody with access to the machine does, whether a server runs on the database or not.

use std::io::{IsTerminal, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Result, bail, ensure};
use clap::{Args, Subcommand};
use secrecy::SecretString;

use crate::account::operator::{bootstrap, recovery};
use crate::account::user::query::NewUser;
use crate::clock::SystemClock;
use crate::config::{Config, Database, Flags};
use crate::entropy::SystemEntropy;
use crate::error::Error;
use crate::startup;

/// Longest password that is read from standard input, in bytes.
const MAX_PASSWORD_INPUT: u64 = 4_096;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make an administrator.
    Create(Create),
    /// End every session of everybody, and every API token that a login made, as after a backup was restored: it brings
    /// back what was ended since.
    EndAllSessions {
        #[command(flatten)]
        flags: Flags,
        /// Revoke every other API token, too.
        #[arg(long)]
        api_tokens: bool,
    },
}

/// What `admin create` is told.
#[derive(Debug, Args)]
pub(super) struct Create {
    #[command(flatten)]
    pub flags: Flags,
    /// The name to sign in with.
    name: String,
    /// An e-mail address.
    #[arg(long)]
    email: Option<String>,
    /// Read the password from standard input instead of asking for it.
    #[arg(long)]
    password_stdin: bool,
}

/// Makes an administrator.
pub(super) async fn create(config: Config, arguments: Create) -> Result<ExitCode> {
    let password = if arguments.password_stdin { read_stdin()? } else { prompt()? };
    let user = NewUser::parse(&arguments.name, arguments.email.as_deref(), None, password).map_err(operator_error)?;
    let new_database = missing_database(&config);
    let app = startup::open(config, Arc::new(SystemClock), Arc::new(SystemEntropy)).await?;
    let user = bootstrap::create_admin(&app, user).await.map_err(operator_error)?;
    app.db.close().await?;
    match new_database {
        None => writeln!(std::io::stdout(), "{} is an administrator", user.username)?,
        Some(path) => {
            writeln!(std::io::stdout(), "{} is an administrator of a new database, {}", user.username, path.display())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Ends every session.
pub(super) async fn end_all_sessions(config: Config, api_tokens: bool) -> Result<ExitCode> {
    if let Some(path) = missing_database(&config) {
        bail!("there is no database at {}: name its directory with --data-dir", path.display());
    }
    let app = startup::open(config, Arc::new(SystemClock), Arc::new(SystemEntropy)).await?;
    let ended = recovery::end_all_sessions(&app, api_tokens).await.map_err(operator_error)?;
    app.db.close().await?;
    writeln!(std::io::stdout(), "{} sessions ended, {} API tokens revoked", ended.sessions, ended.api_tokens)?;
    Ok(ExitCode::SUCCESS)
}

/// Where the embedded database would be made, if there is none: the command may run in another directory than the server.
fn missing_database(config: &Config) -> Option<PathBuf> {
    match &config.database {
        Database::Embedded(path) if !path.exists() => Some(std::path::absolute(path).unwrap_or_else(|_| path.clone())),
        _ => None,
    }
}

fn read_stdin() -> Result<SecretString> {
    let mut text = String::new();
    std::io::stdin().take(MAX_PASSWORD_INPUT).read_to_string(&mut text)?;
    // A shell's echo ends the line; nobody means that to be part of the password.
    let length = text.trim_end_matches(['\r', '\n']).len();
    text.truncate(length);
    Ok(text.into())
}

fn prompt() -> Result<SecretString> {
    ensure!(std::io::stdin().is_terminal(), "there is nobody to ask for the password: give --password-stdin");
    let password = rpassword::prompt_password("Password: ")?;
    ensure!(rpassword::prompt_password("Again: ")? == password, "the two passwords differ");
    Ok(password.into())
}

/// Every refusal on its own line, for a person at a terminal.
pub(super) fn operator_error(error: Error) -> anyhow::Error {
    match error {
        Error::Refused(refusals) => {
            let lines: Vec<String> = refusals
                .iter()
                .map(|refusal| match refusal.field {
                    Some(field) => format!("{field}: {}", refusal.message),
                    None => refusal.message.clone(),
                })
                .collect();
            anyhow::anyhow!("{}", lines.join("\n"))
        }
        Error::Internal(cause) | Error::StorageUnavailable(cause) => cause,
        other => other.into(),
    }
}
