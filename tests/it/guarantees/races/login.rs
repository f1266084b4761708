//! Logins that race with a change that ends them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::json;

use super::refresh::{SessionEnd, end_session, is_logged_out, is_logged_out_soon};
use super::{nodes, rounds};
use crate::support::polling::until;
use crate::support::{Actor, PASSWORD};

/// Logs in repeatedly until `stop`; counts the opened sessions.
async fn log_in_repeatedly(
    anonymous: Actor,
    name: String,
    opened: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
) -> Vec<Actor> {
    let mut sessions = Vec::new();
    while !stop.load(Ordering::SeqCst) {
        let input = json!({ "username": name, "password": PASSWORD });
        let answer =
            anonymous.mutate_retrying("login", input, "tokens { accessToken refreshToken } errors { code }").await;
        match answer.payload_error("login").as_deref() {
            None => {
                sessions.push(anonymous.signed_in(&answer.data()["login"]));
                opened.fetch_add(1, Ordering::SeqCst);
            }
            Some("INVALID_CREDENTIALS") => {}
            Some(other) => panic!("{other}"),
        }
    }
    sessions
}

/// S5, S13, S14: a password verified during its change, or during the disabling of its user, leaves no open session:
/// here at once, on the other node within 1 s.
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
        let clients: Vec<_> = (0..8)
            .map(|_| {
                tokio::spawn(log_in_repeatedly(there.anonymous(), name.clone(), Arc::clone(&opened), Arc::clone(&stop)))
            })
            .collect();
        until("the clients log in", async || opened.load(Ordering::SeqCst) >= 8).await;
        end_session(ending, root.clone(), ann.clone()).await;
        stop.store(true, Ordering::SeqCst);
        let mut sessions = Vec::new();
        for client in clients {
            sessions.extend(client.await.unwrap());
        }
        if let SessionEnd::Disable = ending {
            // Sessions opened before do not return with the user.
            root.mutate_ok("setUserStatus", json!({ "userId": ann.id, "status": "ACTIVE" }), "user { id }").await;
        }
        for session in sessions {
            assert!(is_logged_out(&here.reconnect(&session)).await, "{ending:?}");
            assert!(is_logged_out_soon(&there, &session).await, "{ending:?}");
        }
    }
}
