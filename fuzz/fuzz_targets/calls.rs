//! Random sequences of C calls.
#![no_main]

use std::sync::OnceLock;

use inlay_fuzz::calls::{self, Modules};
use inlay_fuzz::subject;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    static MODULES: OnceLock<Modules> = OnceLock::new();
    let modules = MODULES.get_or_init(Modules::new);
    subject::on_its_stack(|| calls::run(data, modules));
});
