//! An axum application with accounts and a GraphQL schema of its own, which `async-graphql-axum` serves beside accountd.
//! Its resolvers take the caller, and guards require a role or a permission.
//!
//! Run it with `ACCOUNTD_LISTEN=127.0.0.1:8081 cargo run --example own_schema`; it reads accountd's settings.

use std::net::SocketAddr;
use std::sync::Arc;

use accountd::clock::SystemClock;
use accountd::config::{Config, Flags};
use accountd::entropy::SystemEntropy;
use accountd::{App, CurrentUser, background};
use async_graphql::{Context, EmptySubscription, Error, ErrorExtensions, Guard, Object, Result, Schema, SimpleObject};
use async_graphql_axum::{GraphQLRequest, GraphQLResponse};
use axum::Router;
use axum::extract::{FromRef, State};
use axum::routing::post;
use tokio::net::TcpListener;
use tokio::sync::RwLock;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let environment = std::env::vars_os();
    let environment =
        environment.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let config = Config::load(Flags::default(), environment)?;
    let listener = TcpListener::bind(config.listen.to_string()).await?;
    let accounts = accountd::open(config, Arc::new(SystemClock), Arc::new(SystemEntropy)).await?;
    tokio::spawn(background(accounts.clone()));
    // Limits per address need the peer address.
    let service = router(accounts)?.into_make_service_with_connect_info::<SocketAddr>();
    Ok(axum::serve(listener, service).await?)
}

/// The application's schema at `/graphql`, and accountd's routes under `/accounts`.
pub fn router(accounts: App) -> anyhow::Result<Router> {
    let schema = Schema::build(Query, Mutation, EmptySubscription);
    let schema = schema.data(Notes::default()).limit_depth(8).limit_complexity(100).finish();
    Ok(Router::new()
        .route("/graphql", post(graphql))
        .nest("/accounts", accountd::router(accounts.clone())?)
        .with_state(Shop { accounts, schema }))
}

/// The state of the routes.
#[derive(Clone)]
struct Shop {
    accounts: App,
    schema: Schema<Query, Mutation, EmptySubscription>,
}

/// [`CurrentUser`] needs the `App`.
impl FromRef<Shop> for App {
    fn from_ref(shop: &Shop) -> Self {
        shop.accounts.clone()
    }
}

/// Executes a request with the caller as its data; invalid credentials were answered with 401 before.
async fn graphql(State(shop): State<Shop>, caller: Option<CurrentUser>, request: GraphQLRequest) -> GraphQLResponse {
    let mut request = request.into_inner();
    if let Some(caller) = caller {
        request = request.data(caller);
    }
    shop.schema.execute(request).await.into()
}

/// The caller of a field.
fn caller<'a>(context: &Context<'a>) -> Result<&'a CurrentUser> {
    context.data_opt().ok_or_else(|| refusal("sign in first", "UNAUTHENTICATED"))
}

fn refusal(message: &str, code: &str) -> Error {
    Error::new(message).extend_with(|_, extensions| extensions.set("code", code))
}

/// A guard that requires a role at the time of the request.
struct Role(&'static str);

impl Guard for Role {
    async fn check(&self, context: &Context<'_>) -> Result<()> {
        let is_allowed = caller(context)?.has_role(self.0);
        is_allowed.then_some(()).ok_or_else(|| refusal("your role does not allow this", "FORBIDDEN"))
    }
}

/// A guard that requires a permission at the time of the request.
struct Permission(&'static str);

impl Guard for Permission {
    async fn check(&self, context: &Context<'_>) -> Result<()> {
        let is_allowed = caller(context)?.has_permission(self.0);
        is_allowed.then_some(()).ok_or_else(|| refusal("you do not have the permission for this", "FORBIDDEN"))
    }
}

/// The notes of all users, in memory.
#[derive(Default)]
struct Notes(RwLock<Vec<Note>>);

/// A note.
#[derive(Clone, SimpleObject)]
struct Note {
    /// The id of its author, which stays when the username changes.
    author: String,
    text: String,
}

/// The root of queries.
pub struct Query;

#[Object]
impl Query {
    /// The caller's username; null without credentials.
    async fn me<'a>(&self, context: &Context<'a>) -> Option<&'a str> {
        caller(context).ok().map(CurrentUser::username)
    }

    /// The caller's own notes.
    async fn notes(&self, context: &Context<'_>) -> Result<Vec<Note>> {
        let author = caller(context)?.id();
        let notes = context.data::<Notes>()?.0.read().await;
        Ok(notes.iter().filter(|note| note.author == author).cloned().collect())
    }

    /// The notes of all users, for administrators.
    #[graphql(guard = "Role(\"admin\")")]
    async fn all_notes(&self, context: &Context<'_>) -> Result<Vec<Note>> {
        Ok(context.data::<Notes>()?.0.read().await.clone())
    }

    /// The number of notes, for callers who may read users.
    #[graphql(guard = "Permission(\"USERS_READ\")")]
    async fn note_count(&self, context: &Context<'_>) -> Result<usize> {
        Ok(context.data::<Notes>()?.0.read().await.len())
    }
}

/// The root of mutations.
pub struct Mutation;

#[Object]
impl Mutation {
    /// Adds a note of the caller.
    async fn add_note(&self, context: &Context<'_>, text: String) -> Result<Note> {
        let note = Note { author: caller(context)?.id(), text };
        context.data::<Notes>()?.0.write().await.push(note.clone());
        Ok(note)
    }
}
