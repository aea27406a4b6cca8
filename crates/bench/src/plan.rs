//! How much of everything: enough to trust, or just enough to see that it runs.

/// The sizes of a run.
#[derive(Debug)]
pub struct Plan {
    /// How often limit and bridge take turns at every volume; the median turn counts.
    pub turns: usize,
    /// Connections, and notices of each turn.
    pub intake: [Volume; 3],
    /// The same on a disk with slow fsync.
    pub slow_disk: [Volume; 2],
    /// Equal notices at 64 connections.
    pub duplicates: usize,
    /// Linked students to read about.
    pub people: u32,
    /// Reads of each turn at 16 connections.
    pub reads: u32,
    /// The most notices sent beside reads.
    pub beside_reads: usize,
    /// Students who become Moodle users.
    pub converging: u32,
    /// Edits whose way is timed.
    pub edits: u32,
    /// Starts, of which the median counts.
    pub starts: usize,
    /// Notices taken in while memory is watched.
    pub weighed: Volume,
}

/// So many requests over so many connections.
#[derive(Debug, Clone, Copy)]
pub struct Volume {
    /// Connections, each with one request under way.
    pub connections: usize,
    /// Requests.
    pub requests: u32,
}

const fn volume(connections: usize, requests: u32) -> Volume {
    Volume {
        connections,
        requests,
    }
}

impl Plan {
    /// For figures to report.
    pub const FULL: Self = Self {
        turns: 7,
        intake: [volume(1, 1_000), volume(16, 6_000), volume(64, 8_000)],
        slow_disk: [volume(1, 100), volume(16, 1_500)],
        duplicates: 10_000,
        people: 10_000,
        reads: 6_000,
        beside_reads: 20_000,
        converging: 1_000,
        edits: 40,
        starts: 10,
        weighed: volume(64, 40_000),
    };

    /// For continuous integration: about a minute.
    pub const QUICK: Self = Self {
        turns: 5,
        intake: [volume(1, 200), volume(16, 1_000), volume(64, 1_500)],
        slow_disk: [volume(1, 30), volume(16, 300)],
        duplicates: 2_000,
        people: 300,
        reads: 1_000,
        beside_reads: 4_000,
        converging: 40,
        edits: 6,
        starts: 3,
        weighed: volume(64, 4_000),
    };
}
