//! The hashing pool: a few threads of their own, so that hashing never slows the threads that answer.
//!
//! Argon2 on the runtime's threads, or on its blocking pool, starves every other request. Here a job waits in a
//! bounded queue until one of a fixed number of threads takes it; one block of memory per thread bounds the rest.

use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::Duration;

use argon2::Block;
use flume::{Receiver, RecvTimeoutError, Sender};
use tokio::sync::oneshot;

use crate::error::{Error, Result};

/// Jobs that may wait for each thread; past that, callers wait before they are let into the queue.
const WAITING_PER_THREAD: usize = 4;

/// How long a thread keeps its memory when there is nothing to do.
const KEEP_MEMORY: Duration = Duration::from_secs(5);

/// A thread's working memory; grows to what a job needs and is given back when idle.
pub type Memory = Vec<Block>;

type Job = Box<dyn FnOnce(&mut Memory) + Send>;

/// The door to the threads.
pub struct Pool {
    queue: Sender<Job>,
}

impl Pool {
    /// Starts `threads` threads, or one per processor.
    ///
    /// # Errors
    /// When the operating system gives no thread.
    pub fn start(threads: Option<NonZeroUsize>) -> Result<Self> {
        let threads = threads.or(thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get);
        let (queue, jobs) = flume::bounded(threads * WAITING_PER_THREAD);
        for number in 0..threads {
            let jobs = jobs.clone();
            thread::Builder::new()
                .name(format!("hash-{number}"))
                .spawn(move || work(&jobs))
                .map_err(|error| Error::Internal(error.into()))?;
        }
        Ok(Self { queue })
    }

    /// Runs `job` on one of the threads and waits for its result. If the caller goes away first, the job is skipped.
    ///
    /// # Errors
    /// When the pool has stopped or the job panicked.
    pub async fn run<T: Send + 'static>(&self, job: impl FnOnce(&mut Memory) -> T + Send + 'static) -> Result<T> {
        let (answer, result) = oneshot::channel();
        let job: Job = Box::new(move |memory| {
            if !answer.is_closed() {
                // The caller may vanish while the job runs; then nobody needs the result.
                drop(answer.send(job(memory)));
            }
        });
        self.queue.send_async(job).await.map_err(|_| Error::internal("the hashing pool has stopped"))?;
        result.await.map_err(|_| Error::internal("a hashing job did not finish"))
    }
}

fn work(jobs: &Receiver<Job>) {
    let mut memory = Memory::new();
    loop {
        let job = match jobs.recv_timeout(KEEP_MEMORY) {
            Ok(job) => job,
            Err(RecvTimeoutError::Timeout) => {
                memory = Memory::new();
                // Nothing to give back any more: sleep until there is work.
                match jobs.recv() {
                    Ok(job) => job,
                    Err(_) => return,
                }
            }
            Err(RecvTimeoutError::Disconnected) => return,
        };
        if catch_unwind(AssertUnwindSafe(|| job(&mut memory))).is_err() {
            tracing::error!("a hashing job panicked");
        }
    }
}
