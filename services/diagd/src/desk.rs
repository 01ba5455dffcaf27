//! What is answered: each question is passed on to who knows, and nothing is kept but who waits for the log. What is said to `/state` is passed on
//! as it is: what this process may do there the registry says, and `statefsd` looks at.

use alloc::boxed::Box;
use alloc::vec::Vec;
use diagd::followers::{Follower, Followers};
use diagd::line::Line;
use nexus_abi::Error as Refused;
use nexus_abi::bounds::MAX_MESSAGE_BYTES;
use nexus_rt::api::diag::{
    self, Error, Holding, HoldingsReply, LogPromise, LogReply, MachineReply, NetworkReply, ProcessReply,
    State,
};
use nexus_rt::api::supervise::{self, State as Standing};
use nexus_rt::api::{log, news, socket, state};
use nexus_rt::channel::end;
use nexus_rt::owned::Quota;
use nexus_rt::samgr::Service;
use nexus_rt::server::Message;
use nexus_rt::wire::{CallError, Fixed, Link, NoHandle, Outcome, Packet, Sender, Text};
use nexus_rt::{Channel, End, Owned, ProcessKind, Server, clock};

/// What this end of the channel for news can receive: one message says it.
const NEWS_END: End = end(1, news::REQUEST_ROOM);

/// The interfaces that are spoken here.
pub const INTERFACES: [u32; 2] = [diag::ID, state::ID];

/// How long `/state` is waited for. Everybody else waits meanwhile.
const STATE_MS: u32 = 60_000;

/// The desk.
pub struct Desk {
    supervisor: supervise::Client<Fixed<Owned<Channel>>>,
    log: log::Client<Service>,
    network: socket::Client<Service>,
    state: Link<Service>,
    /// For what goes to `/state` and comes back.
    passing: Box<[u8; MAX_MESSAGE_BYTES]>,
    quota: &'static Owned<Quota>,
    /// Key of the channel over which the log tells of new records, while somebody waits for them.
    news: Option<u64>,
    followers: Followers<LogPromise>,
    /// Those that gave way: their requests are answered with `NotFound`.
    dropped: Vec<LogPromise>,
    /// Damaged pieces that came over the line.
    pub damaged: u64,
}

/// A request at the desk.
struct Visit<'a> {
    desk: &'a mut Desk,
    server: &'a mut Server,
}

impl Desk {
    /// Nobody has asked anything.
    pub fn new(supervisor: Owned<Channel>, quota: &'static Owned<Quota>) -> Desk {
        Desk {
            supervisor: supervise::Client::new(Fixed::new(supervisor)),
            log: log::Client::new(Service("log")),
            network: socket::Client::new(Service("network")),
            state: Link::new(Service("state")),
            passing: Box::new([0; MAX_MESSAGE_BYTES]),
            quota,
            news: None,
            followers: Followers::default(),
            dropped: Vec::new(),
            damaged: 0,
        }
    }

    /// Has a request answered.
    pub fn serve(
        &mut self,
        server: &mut Server,
        interface: u32,
        sender: Sender,
        packet: &mut Packet<'_, NoHandle>,
    ) -> Outcome {
        if interface == state::ID {
            let passed = self.state.relay(packet, &mut self.passing[..], STATE_MS);
            return if passed.is_ok() { Outcome::Answered } else { Outcome::Dropped };
        }
        diag::dispatch(&mut Visit { desk: self, server }, sender, packet)
    }

    /// Answers those that gave way.
    pub fn settle(&mut self, line: &mut Line) {
        self.dropped.drain(..).for_each(|promise| promise.keep(line, Err(Error::NotFound)));
    }

    /// The log has something new, or whatever it was is no news.
    pub fn news(&mut self, server: &mut Server, message: Message, line: &mut Line) {
        let is_news = Some(message.key) == self.news;
        server.serve(message, |_, sender, packet| news::dispatch(&mut Bell, sender, packet));
        if !is_news {
            return;
        }
        for follower in self.followers.take() {
            match read(&mut self.log, follower.from) {
                Ok(record) => follower.promise.keep(line, Ok(reply(&record))),
                // It waits on. There is room: all of them were taken out.
                Err(Error::NotFound) => drop(self.followers.add(follower)),
                Err(other) => follower.promise.keep(line, Err(other)),
            }
        }
        if self.followers.is_empty() {
            self.unwatch(server);
        }
    }

    /// Nobody waits any more: the log need not tell.
    fn unwatch(&mut self, server: &mut Server) {
        if let Some(key) = self.news.take() {
            server.detach(key);
        }
    }

    /// The other end of a channel is gone: that of a log that ended. What it kept is lost, so its readers begin anew.
    pub fn gone(&mut self, key: u64, line: &mut Line) {
        if self.news.take_if(|news| *news == key).is_some() {
            for follower in self.followers.take() {
                follower.promise.keep(line, Err(Error::NotReady));
            }
        }
    }

    /// Nobody waits on the line any more.
    pub fn cut(&mut self) {
        self.followers.take();
        self.dropped.clear();
    }

    /// Has the log tell of new records.
    fn watch(&mut self, server: &mut Server) -> Result<(), Error> {
        if self.news.is_some() {
            return Ok(());
        }
        let made = Owned::<Channel>::create(self.quota, NEWS_END, End::default());
        let attached = made.and_then(|(mine, theirs)| Ok((server.attach(mine)?, theirs)));
        let (key, theirs) = attached.map_err(|_: Refused| Error::NotReady)?;
        if self.log.watch(theirs.into()).is_err() {
            server.detach(key);
            return Err(Error::NotReady);
        }
        self.news = Some(key);
        Ok(())
    }
}

/// News have nothing to say but that they came.
struct Bell;

impl news::Server for Bell {
    fn added(&mut self, _sender: Sender) {}
}

fn read(log: &mut log::Client<Service>, from: u64) -> Result<log::ReadReply<'_>, Error> {
    log.read(from).map_err(|error| match error {
        CallError::Service(log::Error::NotFound) => Error::NotFound,
        CallError::Service(log::Error::PermissionDenied) => Error::PermissionDenied,
        CallError::Service(log::Error::QuotaExceeded)
        | CallError::ServerDied
        | CallError::TimedOut
        | CallError::Protocol(_) => Error::NotReady,
    })
}

fn reply<'a>(record: &log::ReadReply<'a>) -> LogReply<'a> {
    LogReply {
        sequence: record.sequence,
        time: record.time,
        service: record.service,
        generation: record.generation,
        level: record.level as u8,
        purpose: record.purpose as u8,
        text: record.text,
    }
}

fn told(error: CallError<supervise::Error>) -> Error {
    match error {
        CallError::Service(supervise::Error::NotFound) => Error::NotFound,
        CallError::Service(supervise::Error::PermissionDenied) => Error::PermissionDenied,
        CallError::ServerDied | CallError::TimedOut | CallError::Protocol(_) => Error::NotReady,
    }
}

const fn state(standing: Standing) -> State {
    match standing {
        Standing::Idle => State::Idle,
        Standing::Starting => State::Starting,
        Standing::Ready => State::Ready,
        Standing::Pausing => State::Pausing,
        Standing::Ended => State::Ended,
        Standing::Absent => State::Absent,
    }
}

impl diag::Server for Visit<'_> {
    fn machine(&mut self, _sender: Sender) -> Result<MachineReply, Error> {
        Ok(MachineReply { now: clock::now(), hz: clock::timebase(), damaged: self.desk.damaged })
    }

    fn process(&mut self, _sender: Sender, index: u16) -> Result<ProcessReply<'_>, Error> {
        let stat = self.desk.supervisor.stat(index).map_err(told)?;
        Ok(ProcessReply {
            service: stat.service,
            generation: stat.generation,
            pages: stat.pages,
            pages_most: stat.pages_most,
            cpu_ticks: stat.cpu_ticks,
            handles: stat.handles,
            starts: stat.starts,
            state: state(stat.state),
            name: stat.name,
        })
    }

    fn log(
        &mut self,
        sender: Sender,
        promise: LogPromise,
        from: u64,
        wait: bool,
    ) -> Result<Option<LogReply<'_>>, Error> {
        let desk = &mut *self.desk;
        if let Some(before) = desk.followers.replaced(sender.key) {
            desk.dropped.push(before.promise);
        }
        if wait {
            // First: what is added after this is told of.
            desk.watch(self.server)?;
        }
        match read(&mut desk.log, from) {
            Ok(record) => Ok(Some(reply(&record))),
            Err(Error::NotFound) if wait => {
                let follower = Follower { terminal: sender.key, from, promise };
                if let Some(oldest) = desk.followers.add(follower) {
                    desk.dropped.push(oldest.promise);
                }
                Ok(None)
            }
            Err(other) => Err(other),
        }
    }

    fn kill(&mut self, _sender: Sender, name: Text<'_, { diag::MAX_NAME }>) -> Result<(), Error> {
        // The supervisor decides, and writes the audit record.
        self.desk.supervisor.kill(name).map_err(told)
    }

    fn holdings(&mut self, _sender: Sender, index: u16, from: u32) -> Result<HoldingsReply, Error> {
        let lent = self.desk.supervisor.look(index).map_err(told)?;
        let process: Owned<ProcessKind> = lent.process.into();
        let held = process.holdings(from).map_err(|_| Error::NotFound)?;
        let holdings = held.holdings.map(|held| Holding {
            object: held.object,
            rights: held.rights,
            kind: held.kind,
            end: held.end,
        });
        Ok(HoldingsReply { next: held.next, count: held.count, holdings })
    }

    fn network(&mut self, _sender: Sender) -> Result<NetworkReply, Error> {
        let status = self.desk.network.status().map_err(|_| Error::NotReady)?;
        Ok(NetworkReply {
            configured: status.configured,
            prefix: status.prefix,
            address: status.address,
            router: status.router,
            dropped: status.dropped,
            sockets: status.sockets,
        })
    }
}
