//! The baseline server: axum and async-graphql as in their documentation, with a constant `me`.

use std::net::SocketAddr;

use async_graphql::{EmptyMutation, EmptySubscription, Object, Request, Response, Schema, SimpleObject};
use axum::routing::post;
use axum::{Json, Router};

struct Query;

#[derive(SimpleObject)]
struct User {
    id: String,
    username: String,
}

#[Object]
impl Query {
    async fn me(&self) -> User {
        User { id: "usr_01h455vb4pex5vsknk084sn02q".to_owned(), username: "ann".to_owned() }
    }
}

/// Serves until the process ends.
pub fn serve(port: u16) {
    let schema = Schema::build(Query, EmptyMutation, EmptySubscription).finish();
    let handler = async move |Json(request): Json<Request>| -> Json<Response> { Json(schema.execute(request).await) };
    let router: Router = Router::new().route("/graphql", post(handler));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], port))).await.expect("a port");
        axum::serve(listener, router).await.expect("a server");
    });
}
