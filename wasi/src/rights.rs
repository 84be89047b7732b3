//! Rights of descriptors, and other numbers of `wasi_snapshot_preview1`.

/// What may be done with a descriptor.
pub mod right {
    pub const DATASYNC: u64 = 1 << 0;
    pub const READ: u64 = 1 << 1;
    pub const SEEK: u64 = 1 << 2;
    pub const SET_FLAGS: u64 = 1 << 3;
    pub const SYNC: u64 = 1 << 4;
    pub const TELL: u64 = 1 << 5;
    pub const WRITE: u64 = 1 << 6;
    pub const ADVISE: u64 = 1 << 7;
    pub const ALLOCATE: u64 = 1 << 8;
    pub const CREATE_DIRECTORY: u64 = 1 << 9;
    pub const CREATE_FILE: u64 = 1 << 10;
    pub const LINK_SOURCE: u64 = 1 << 11;
    pub const LINK_TARGET: u64 = 1 << 12;
    pub const OPEN: u64 = 1 << 13;
    pub const READDIR: u64 = 1 << 14;
    pub const READLINK: u64 = 1 << 15;
    pub const RENAME_SOURCE: u64 = 1 << 16;
    pub const RENAME_TARGET: u64 = 1 << 17;
    pub const PATH_STAT: u64 = 1 << 18;
    pub const PATH_SET_SIZE: u64 = 1 << 19;
    pub const PATH_SET_TIMES: u64 = 1 << 20;
    pub const STAT: u64 = 1 << 21;
    pub const SET_SIZE: u64 = 1 << 22;
    pub const SET_TIMES: u64 = 1 << 23;
    pub const SYMLINK: u64 = 1 << 24;
    pub const REMOVE_DIRECTORY: u64 = 1 << 25;
    pub const UNLINK: u64 = 1 << 26;
    pub const POLL: u64 = 1 << 27;
    pub const SHUTDOWN: u64 = 1 << 28;
    pub const ACCEPT: u64 = 1 << 29;

    /// All that writes, creates or removes.
    pub const WRITES: u64 = WRITE
        | ALLOCATE
        | CREATE_DIRECTORY
        | CREATE_FILE
        | LINK_SOURCE
        | LINK_TARGET
        | RENAME_SOURCE
        | RENAME_TARGET
        | PATH_SET_SIZE
        | PATH_SET_TIMES
        | SET_SIZE
        | SET_TIMES
        | SYMLINK
        | REMOVE_DIRECTORY
        | UNLINK;
    /// What a file can have.
    pub const OF_FILES: u64 = DATASYNC
        | READ
        | SEEK
        | SET_FLAGS
        | SYNC
        | TELL
        | WRITE
        | ADVISE
        | ALLOCATE
        | STAT
        | SET_SIZE
        | SET_TIMES
        | POLL;
    /// What a directory can have.
    pub const OF_DIRECTORIES: u64 = SET_FLAGS
        | SYNC
        | ADVISE
        | CREATE_DIRECTORY
        | CREATE_FILE
        | LINK_SOURCE
        | LINK_TARGET
        | OPEN
        | READDIR
        | READLINK
        | RENAME_SOURCE
        | RENAME_TARGET
        | PATH_STAT
        | PATH_SET_SIZE
        | PATH_SET_TIMES
        | STAT
        | SET_TIMES
        | SYMLINK
        | REMOVE_DIRECTORY
        | UNLINK
        | POLL;
    /// What a stream can have.
    pub const OF_STREAMS: u64 = READ | WRITE | SET_FLAGS | STAT | POLL | SHUTDOWN | ACCEPT;
}

/// Kinds of files: `filetype`.
pub mod filetype {
    pub const UNKNOWN: u8 = 0;
    pub const BLOCK_DEVICE: u8 = 1;
    pub const CHARACTER_DEVICE: u8 = 2;
    pub const DIRECTORY: u8 = 3;
    pub const REGULAR_FILE: u8 = 4;
    pub const SOCKET_STREAM: u8 = 6;
    pub const SYMBOLIC_LINK: u8 = 7;
}

/// `fdflags`
pub mod fdflag {
    pub const APPEND: u16 = 1;
    pub const DSYNC: u16 = 2;
    pub const NONBLOCK: u16 = 4;
    pub const RSYNC: u16 = 8;
    pub const SYNC: u16 = 16;
}

/// `oflags`
pub mod oflag {
    pub const CREATE: u32 = 1;
    pub const DIRECTORY: u32 = 2;
    pub const EXCLUSIVE: u32 = 4;
    pub const TRUNCATE: u32 = 8;
}

/// `lookupflags`: whether a symbolic link at the end of a path is followed.
pub const FOLLOW: u32 = 1;

/// `fstflags`
pub mod fstflag {
    pub const ACCESSED: u32 = 1;
    pub const ACCESSED_NOW: u32 = 2;
    pub const MODIFIED: u32 = 4;
    pub const MODIFIED_NOW: u32 = 8;
}
