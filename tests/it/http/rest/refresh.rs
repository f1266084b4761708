//! Refresh over REST, and its difference from GraphQL.

use axum::http::StatusCode;
use chrono::TimeDelta;

use super::{refresh, signed_in, validation};
use crate::support::TestApp;

#[tokio::test]
async fn rest_refresh_revokes_the_old_access_token() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let next = signed_in(&app, &refresh(&ann).await);
    assert_eq!(next.me_code().await, None);
    assert_eq!(ann.me_code().await.as_deref(), Some("UNAUTHENTICATED"));
    assert_eq!(ann.me_reason().await.as_deref(), Some("TOKEN_EXPIRED"), "a refresh helps");
    // To the last second of the token's life, with the leeway of verification.
    app.clock.advance(TimeDelta::milliseconds(904_999));
    assert_eq!(validation(&ann).await, StatusCode::UNAUTHORIZED);
    assert_eq!(validation(&next).await, StatusCode::OK);
}

#[tokio::test]
async fn graphql_refresh_keeps_the_old_access_token() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    ann.refresh(ann.refresh_token.as_deref().unwrap()).await.data();
    assert_eq!(validation(&ann).await, StatusCode::OK);
}

/// S2, S4
#[tokio::test]
async fn rest_refresh_is_replayed_until_the_new_pair_is_used() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let lost = signed_in(&app, &refresh(&ann).await);
    app.clock.advance(TimeDelta::minutes(5));
    let again = signed_in(&app, &refresh(&ann).await);
    assert_eq!(again.refresh_token, lost.refresh_token);
    assert_eq!(validation(&again).await, StatusCode::OK);
    assert_eq!(validation(&ann).await, StatusCode::UNAUTHORIZED);
    let reused = refresh(&ann).await;
    assert_eq!(reused.status, StatusCode::UNAUTHORIZED, "{}", reused.text);
    assert_eq!(again.me_reason().await.as_deref(), Some("SESSION_ENDED"));
}
