//! What the fuzz targets do with their bytes.
//!
//! `tests/fuzz` of the project runs `program`, `observe`, `subject` and `calls` too, with seeds in place of a fuzzer
//! and recorded transcripts in place of another engine.

#[path = "../../tests/spec/api.rs"]
pub mod api;
pub mod calls;
#[path = "../../tests/spec/dual_map.rs"]
pub mod dual_map;
pub mod image_header;
pub mod images;
pub mod observe;
pub mod program;
pub mod random;
pub mod reference;
pub mod references;
pub mod seeds;
pub mod subject;
pub mod teaser;
pub mod wasi;

use std::sync::Arc;

use observe::{difference, observe};
use program::Program;
use reference::Reference;
use subject::{Settings, Subject};

/// Runs what a seed or a fuzzer made in both engines; where they part, in words.
pub fn compare(program: &Arc<Program>, settings: &Settings) -> Option<String> {
    let (ours, theirs) = transcripts(program, settings);
    difference(&ours, &theirs)
}

pub fn transcripts(program: &Arc<Program>, settings: &Settings) -> (Vec<String>, Vec<String>) {
    subject::on_its_stack(|| {
        let mut subject = Subject::new(program, settings);
        let ours = observe(program, &mut subject);
        subject.end();
        (ours, observe(program, &mut Reference::new(program)))
    })
}
