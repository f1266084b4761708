//! Every promise, proven through the real router; one file per capability or promise.

// Lets clippy see that helpers are tests too.
#![cfg(test)]

mod limits;
mod administration;
mod login;
mod plantdb;
mod refresh;
mod register;
>>>>>>> 9d97060 (register: tell every wrong field, refuse invisible letters, prove the rest)
mod administration;
mod limits;
mod login;
mod logout;
mod password;
mod plantdb;
mod profile;
mod refresh;
mod register;
mod rest;
mod role;
mod session;
mod rest;
mod logout;
mod password;
mod profile;
mod refresh;
mod register;
mod role;
mod session;
mod support;
mod user;
