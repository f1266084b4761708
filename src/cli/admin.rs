//! `accountd admin`: actions of operators with access to the machine, with or without a running server.

use std::io::{IsTerminal, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Result, bail, ensure};
use clap::{Args, Subcommand};
use secrecy::SecretString;

use super::operator_error::operator_error;
use crate::account::authentication::session_end::ApiTokenSelection;
use crate::account::operator::{bootstrap, recovery};
use crate::account::user::new_user::NewUser;
use crate::clock::SystemClock;
use crate::config::{Config, Database, Flags};
use crate::entropy::SystemEntropy;
use crate::startup;

/// Longest password read from standard input, in bytes.
const MAX_PASSWORD_INPUT: u64 = 4_096;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Create an administrator.
    Create(Create),
    /// End all sessions, and all API tokens created by a login. Use it with `--api-tokens` after restoring a backup,
    /// which revives sessions that had ended and API tokens that had been revoked.
    EndAllSessions {
        #[command(flatten)]
        flags: Flags,
        /// Revoke all other API tokens, too.
        #[arg(long)]
        api_tokens: bool,
    },
}

/// Arguments of `admin create`.
#[derive(Debug, Args)]
pub(super) struct Create {
    #[command(flatten)]
    pub flags: Flags,
    /// The username.
    name: String,
    /// The e-mail address.
    #[arg(long)]
    email: Option<String>,
    /// Read the password from standard input instead of a prompt.
    #[arg(long)]
    password_stdin: bool,
}

/// Creates an administrator.
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

/// Ends all sessions.
pub(super) async fn end_all_sessions(config: Config, api_tokens: bool) -> Result<ExitCode> {
    if let Some(path) = missing_database(&config) {
        bail!("no database at {}: set its directory with --data-dir", path.display());
    }
    let app = startup::open(config, Arc::new(SystemClock), Arc::new(SystemEntropy)).await?;
    let ended =
        recovery::end_all_sessions(&app, ApiTokenSelection::from_flag(api_tokens)).await.map_err(operator_error)?;
    app.db.close().await?;
    writeln!(std::io::stdout(), "{} sessions ended, {} API tokens revoked", ended.sessions, ended.api_tokens)?;
    Ok(ExitCode::SUCCESS)
}

/// Path of the embedded database if it does not exist: the command may run in another directory than the server.
fn missing_database(config: &Config) -> Option<PathBuf> {
    match &config.database {
        Database::Embedded(path) if !path.exists() => Some(std::path::absolute(path).unwrap_or_else(|_| path.clone())),
        _ => None,
    }
}

fn read_stdin() -> Result<SecretString> {
    let mut text = String::new();
    std::io::stdin().take(MAX_PASSWORD_INPUT).read_to_string(&mut text)?;
    // The line ending of a shell's echo is not part of the password.
    let length = text.trim_end_matches(['\r', '\n']).len();
    text.truncate(length);
    Ok(text.into())
}

fn prompt() -> Result<SecretString> {
    ensure!(std::io::stdin().is_terminal(), "no terminal to prompt for the password: use --password-stdin");
    let password = rpassword::prompt_password("Password: ")?;
    ensure!(rpassword::prompt_password("Again: ")? == password, "the two passwords differ");
    Ok(password.into())
}
