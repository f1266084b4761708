//! The bulletin: the signed list of what was revoked lately, kept for a moment for all who ask for it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, watch};
use tokio::time::Instant;

/// How long an edition is handed out: other nodes revoke things without telling this one.
pub const FRESH: Duration = Duration::from_secs(1);

/// One edition of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edition {
    /// The list, signed.
    pub text: String,
    /// Tells it from an edition that says something else.
    pub tag: String,
}

/// An edition, and what was known when it was made.
#[derive(Debug)]
pub struct Kept {
    edition: Arc<Edition>,
    news: u64,
    made_at: Instant,
}

/// What this process knows of the list.
#[derive(Debug)]
pub struct Bulletin {
    latest: Mutex<Option<Kept>>,
    news: watch::Sender<u64>,
    closed: watch::Sender<bool>,
}

impl Default for Bulletin {
    fn default() -> Self {
        Self { latest: Mutex::default(), news: watch::Sender::new(0), closed: watch::Sender::new(false) }
    }
}

impl Bulletin {
    /// Something was revoked: what was handed out until now is old.
    pub fn ring(&self) {
        self.news.send_modify(|count| *count += 1);
    }

    /// Nobody waits any more: the process is about to stop.
    pub fn close(&self) {
        self.closed.send_replace(true);
    }

    /// The latest edition, made by `make` if there is none that is fresh. Whoever comes while it is being made waits for
    /// it, so that any number of callers costs one look at the database.
    ///
    /// # Errors
    /// Those of `make`.
    pub async fn latest<E>(&self, make: impl Future<Output = Result<Edition, E>>) -> Result<Arc<Edition>, E> {
        let mut latest = self.latest.lock().await;
        let news = *self.news.borrow();
        if let Some(kept) = latest.as_ref().filter(|kept| kept.news == news && kept.made_at.elapsed() < FRESH) {
            return Ok(Arc::clone(&kept.edition));
        }
        // Before the database is looked at: what is revoked meanwhile makes another edition.
        let made_at = Instant::now();
        let edition = Arc::new(make.await?);
        *latest = Some(Kept { edition: Arc::clone(&edition), news, made_at });
        Ok(edition)
    }

    /// Waits until something was revoked here, or might have been elsewhere; tells whether waiting on makes sense.
    pub async fn wait(&self, news: &mut watch::Receiver<u64>, until: Instant) -> bool {
        let mut closed = self.closed.subscribe();
        let look = (Instant::now() + FRESH).min(until);
        tokio::select! {
            _ = closed.wait_for(|is_closed| *is_closed) => false,
            _ = news.changed() => true,
            () = tokio::time::sleep_until(look) => Instant::now() < until,
        }
    }

    /// Hears of what is revoked from now on.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::task::JoinSet;

    /// Those who come while an edition is being made take that one.
    #[tokio::test]
    async fn is_made_once_for_all_who_ask() {
        let (bulletin, made) = (Arc::new(Bulletin::default()), Arc::new(AtomicUsize::new(0)));
        let mut readers = JoinSet::new();
        for _ in 0..1_000 {
            let (bulletin, made) = (Arc::clone(&bulletin), Arc::clone(&made));
            readers.spawn(async move {
                let make = async {
                    tokio::task::yield_now().await;
                    let number = made.fetch_add(1, Ordering::Relaxed);
                    Ok::<_, Infallible>(Edition { text: String::new(), tag: number.to_string() })
                };
                bulletin.latest(make).await.map(|edition| edition.tag.clone())
            });
        }
        let tags = readers.join_all().await;
        // A machine that stands still for a second makes another one.
        assert!(made.load(Ordering::Relaxed) < 10, "{made:?}");
        assert!(tags.into_iter().any(|tag| tag == Ok("0".to_owned())));
        let known = bulletin.news.borrow().to_owned();
        bulletin.ring();
        let next =
            bulletin.latest(async { Ok::<_, Infallible>(Edition { text: String::new(), tag: "new".to_owned() }) });
        assert_eq!((known, next.await.unwrap().tag.as_str()), (0, "new"), "what was revoked here is in the next one");
    }
}
