//! A program in Rust: files, directories, time, arguments, variables, the standard streams, a panic.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, Read, Seek, SeekFrom, Write};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{env, process, thread};

fn say<T>(what: &str, result: io::Result<T>) -> Option<T> {
    match result {
        Ok(value) => {
            println!("{what}: ok");
            Some(value)
        }
        Err(why) => {
            println!("{what}: {:?}", why.kind());
            None
        }
    }
}

fn walk(path: &str, found: &mut Vec<String>) {
    for entry in fs::read_dir(path).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{path}/{}", entry.file_name().to_str().unwrap());
        let ty = entry.file_type().unwrap();
        found.push(format!("{name} {} {} {}", ty.is_dir(), ty.is_file(), ty.is_symlink()));
        if ty.is_dir() {
            walk(&name, found);
        }
    }
}

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    println!("{arguments:?} {:?} {:?}", env::var("PLAIN"), env::var("MISSING").is_err());
    println!("{} lines are read", io::stdin().lock().lines().count());

    say("create_dir_all", fs::create_dir_all("a/b/c"));
    say("create_dir", fs::create_dir("a"));
    say("write", fs::write("a/b/file", "some text\n".repeat(100_000)));
    println!("{}", fs::read_to_string("a/b/file").unwrap().len());
    say("missing", fs::read("missing"));
    say("missing directory", fs::read_dir("missing"));
    say("file as directory", fs::read_dir("a/b/file"));
    say("rename", fs::rename("a/b/file", "a/moved"));
    say("copy", fs::copy("a/moved", "a/copied"));
    let is = fs::metadata("a/moved").unwrap();
    println!("{} {} {}", is.len(), is.is_file(), is.is_dir());
    let mut file = say(
        "open",
        OpenOptions::new().read(true).append(true).create(true).open("a/copied"),
    )
    .unwrap();
    say("set_len", file.set_len(5));
    say("append", file.write_all(b" and more"));
    say("seek", file.seek(SeekFrom::Start(2)));
    let mut text = String::new();
    say("read", file.read_to_string(&mut text));
    println!("{text:?}");
    say("sync", file.sync_all());
    let time = UNIX_EPOCH + Duration::from_secs(1_000_000);
    say("set_modified", file.set_modified(time));
    println!("{:?}", file.metadata().unwrap().modified().unwrap() == time);
    say("create_new", File::create_new("a/copied"));
    say("set_current_dir", env::set_current_dir("missing").map_err(|_| io::ErrorKind::Other.into()));
    let mut found = Vec::new();
    walk(".", &mut found);
    found.sort();
    println!("{}", found.join("\n"));
    // Rust has no name for this error where it is WASI's.
    say("remove_dir", fs::remove_dir("a").map_err(|_| io::ErrorKind::Other.into()));
    say("remove_dir_all", fs::remove_dir_all("a/b"));
    say("remove_file", fs::remove_file("a/moved"));
    say("outside", fs::read("../outside").map_err(|_| io::ErrorKind::Other.into()));

    let begin = Instant::now();
    thread::sleep(Duration::from_millis(200));
    let slept = begin.elapsed();
    println!("{} {}", slept >= Duration::from_millis(200), slept < Duration::from_millis(400));
    println!("{}", SystemTime::now() > time);
    // Numbers of its own: a table of hashes has some of each process.
    let words: std::collections::HashMap<_, _> = (0..1000).map(|i| (i, i * i)).collect();
    println!("{}", words.values().sum::<i32>());
    eprintln!("to the other stream");
    io::stdout().flush().unwrap();
    match arguments.first().map(String::as_str) {
        Some("panic") => panic!("as was asked for"),
        Some("main") => return,
        _ => process::exit(7),
    }
}
