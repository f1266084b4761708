//! The reference model: users, their sessions, and the validity of each token.

const ACCESS: i64 = 15 * 60;
const IDLE: i64 = 14 * 24 * 60 * 60;
const ABSOLUTE: i64 = 30 * 24 * 60 * 60;
const WINDOW: i64 = 30;
/// The tolerated clock difference, in seconds.
const LEEWAY: i64 = 5;

/// The whole state at `now`, in seconds.
#[derive(Debug, Default)]
pub struct Reference {
    pub now: i64,
    /// The current owner of each name, and earlier ones.
    pub users: Vec<ReferenceUser>,
    pub sessions: Vec<ReferenceSession>,
    /// Every pair of tokens ever issued.
    pub pairs: Vec<ReferencePair>,
}

#[derive(Debug)]
pub struct ReferenceUser {
    pub name: usize,
    pub password: u32,
    pub is_there: bool,
    pub is_active: bool,
    pub is_admin: bool,
}

#[derive(Debug)]
pub struct ReferenceSession {
    pub user: usize,
    generation: i64,
    receipt: i64,
    rotated: i64,
    idle_end: i64,
    absolute_end: i64,
    ended: bool,
}

#[derive(Debug)]
pub struct ReferencePair {
    pub session: usize,
    generation: i64,
    access_end: i64,
    refresh_end: i64,
}

impl Reference {
    /// The current owner of this name.
    pub fn owner(&self, name: usize) -> Option<usize> {
        self.users.iter().rposition(|user| user.name == name && user.is_there)
    }

    pub fn register(&mut self, name: usize) -> &'static str {
        if self.owner(name).is_some() {
            return "USERNAME_TAKEN";
        }
        self.users.push(ReferenceUser { name, password: 0, is_there: true, is_active: true, is_admin: false });
        self.open(self.users.len() - 1);
        "OK"
    }

    pub fn login(&mut self, name: usize, password: u32) -> &'static str {
        match self.owner(name) {
            Some(user) if self.users[user].is_active && self.users[user].password == password => {
                self.open(user);
                "OK"
            }
            _ => "INVALID_CREDENTIALS",
        }
    }

    fn open(&mut self, user: usize) {
        let now = self.now;
        let (idle_end, absolute_end) = (now + IDLE, now + ABSOLUTE);
        let session =
            ReferenceSession { user, generation: 1, receipt: 1, rotated: now, idle_end, absolute_end, ended: false };
        self.sessions.push(session);
        self.issue(self.sessions.len() - 1);
    }

    fn issue(&mut self, number: usize) {
        let session = &self.sessions[number];
        self.pairs.push(ReferencePair {
            session: number,
            generation: session.generation,
            access_end: (self.now + ACCESS).min(session.absolute_end),
            refresh_end: session.idle_end.min(session.absolute_end),
        });
    }

    fn is_live(&self, session: usize) -> bool {
        let session = &self.sessions[session];
        !session.ended && self.now < session.idle_end && self.now < session.absolute_end
    }

    /// The owner of the access token, or the reason for its refusal.
    pub fn identify(&mut self, pair: usize) -> Result<usize, &'static str> {
        let ReferencePair { session, generation, access_end, .. } = self.pairs[pair];
        let user = self.sessions[session].user;
        if access_end <= self.now - LEEWAY {
            return Err("TOKEN_EXPIRED");
        }
        if !self.is_live(session) || !self.users[user].is_there || !self.users[user].is_active {
            return Err("SESSION_ENDED");
        }
        let session = &mut self.sessions[session];
        session.receipt = session.receipt.max(generation);
        Ok(user)
    }

    pub fn refresh(&mut self, pair: usize) -> &'static str {
        let ReferencePair { session: number, generation, refresh_end, .. } = self.pairs[pair];
        let user = &self.users[self.sessions[number].user];
        let is_over = refresh_end <= self.now - LEEWAY || !self.is_live(number);
        if is_over || !user.is_there || !user.is_active {
            return "SESSION_ENDED";
        }
        let (now, session) = (self.now, &mut self.sessions[number]);
        let arrived = session.receipt >= session.generation;
        let is_late = now - session.rotated >= if arrived { WINDOW } else { ACCESS };
        let outcome = if generation == session.generation {
            session.receipt = session.generation;
            session.generation += 1;
            session.rotated = now;
            session.idle_end = (now + IDLE).min(session.absolute_end);
            "ROTATED"
        } else if generation == session.generation - 1 && !is_late {
            "REPLAYED"
        } else {
            session.ended = true;
            return "REFRESH_TOKEN_REUSED";
        };
        self.issue(number);
        outcome
    }

    /// The number of sessions that a logout with this access token ends, or the reason why none.
    pub fn logout(&mut self, pair: usize, scope: &str) -> String {
        let (identity, session) = (self.identify(pair), self.pairs[pair].session);
        let is_live = self.is_live(session) && self.users[self.sessions[session].user].is_there;
        if scope != "CURRENT" && identity == Err("TOKEN_EXPIRED") && is_live {
            return "TOKEN_EXPIRED".to_owned();
        }
        self.end_by(pair, scope).to_string()
    }

    fn end_by(&mut self, pair: usize, scope: &str) -> usize {
        let session = self.pairs[pair].session;
        let user = self.sessions[session].user;
        // An expired token still identifies the session to end.
        if self.identify(pair) == Err("SESSION_ENDED") || !self.users[user].is_there {
            return 0;
        }
        match scope {
            "CURRENT" => usize::from(!std::mem::replace(&mut self.sessions[session].ended, true)),
            _ if !self.is_live(session) => 0,
            "OTHERS" => self.end_all(user, Some(session)),
            _ => self.end_all(user, None),
        }
    }

    fn end_all(&mut self, user: usize, except: Option<usize>) -> usize {
        let live =
            |number: &usize| self.sessions[*number].user == user && Some(*number) != except && self.is_live(*number);
        let live: Vec<usize> = (0..self.sessions.len()).filter(live).collect();
        live.iter().for_each(|number| self.sessions[*number].ended = true);
        live.len()
    }

    pub fn change_password(&mut self, pair: usize, current: u32, new: u32) -> &'static str {
        let user = match self.identify(pair) {
            Ok(user) => user,
            Err(reason) => return reason,
        };
        if self.users[user].password != current {
            return "WRONG_PASSWORD";
        }
        self.users[user].password = new;
        self.end_all(user, None);
        self.open(user);
        "OK"
    }

    pub fn set_active(&mut self, user: usize, is_active: bool) -> &'static str {
        if !self.users[user].is_there {
            return "NOT_FOUND";
        }
        self.users[user].is_active = is_active;
        if !is_active {
            self.end_all(user, None);
        }
        "OK"
    }

    pub fn set_admin(&mut self, user: usize, is_admin: bool) -> &'static str {
        if !self.users[user].is_there {
            return "NOT_FOUND";
        }
        self.users[user].is_admin = is_admin;
        "OK"
    }

    pub fn delete(&mut self, user: usize) -> &'static str {
        if !self.users[user].is_there {
            return "NOT_FOUND";
        }
        self.users[user].is_there = false;
        "OK"
    }
}
