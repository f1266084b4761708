//! Logins that meet what ends them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::json;

use super::refresh::{SessionEnd, end_session, is_out, is_out_soon};
use super::{nodes, rounds};
use crate::guarantees::identity_cache::until;
use crate::support::{Actor, PASSWORD};

/// Signs in again and again until `stop`; tells the sessions that were opened.
async fn sign_in(stranger: Actor, name: String, opened: Arc<AtomicUsize>, stop: Arc<AtomicBool>) -> Vec<Actor> {
    let mut sessions = Vec::new();
    while !stop.load(Ordering::SeqCst) {
        let input = json!({ "username": name, "password": PASSWORD });
        let answer =
            stranger.mutate_retrying("login", input, "tokens { accessToken refreshToken } errors { code }").await;
        match answer.payload_error("login").as_deref() {
            None => {
                sessions.push(stranger.signed_in(&answer.data()["login"]));
                opened.fetch_add(1, Ordering::SeqCst);
            }
            Some("INVALID_CREDENTIALS") => {}
            Some(other) => panic!("{other}"),
        }
    }
    sessions
}

/// S5, S13, S14: a password that was verified while it was changed, or while its account was closed, opens nothing that
/// is open afterwards: here at once, on the other node within a second.
#[tokio::test(flavor = "multi_thread")]
async fn login_racing_a_password_change_opens_no_session() {
    let [here, there] = nodes().await;
    let root = here.admin("root").await;
    let endings = [SessionEnd::PasswordChange, SessionEnd::PasswordReset, SessionEnd::Disable, SessionEnd::Delete];
    for round in 0..rounds(8, 200) {
        let ending = endings[round % endings.len()];
        let name = format!("ann-{round}");
        let ann = here.user(&name).await;
        let (opened, stop) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let crowd: Vec<_> = (0..8)
            .map(|_| tokio::spawn(sign_in(there.anonymous(), name.clone(), Arc::clone(&opened), Arc::clone(&stop))))
            .collect();
        until("the crowd signs in", async || opened.load(Ordering::SeqCst) >= 8).await;
        end_session(ending, root.clone(), ann.clone()).await;
        stop.store(true, Ordering::SeqCst);
        let mut sessions = Vec::new();
        for client in crowd {
            sessions.extend(client.await.unwrap());
        }
        if let SessionEnd::Disable = ending {
            // What was opened before does not come back with the account.
            root.mutate_ok("setUserStatus", json!({ "userId": ann.id, "status": "ACTIVE" }), "user { id }").await;
        }
        for session in sessions {
            assert!(is_out(&here.reconnect(&session)).await, "{ending:?}");
            assert!(is_out_soon(&there, &session).await, "{ending:?}");
        }
    }
}
