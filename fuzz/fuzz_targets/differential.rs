//! One module in two engines: the same results, traps, memories, globals and tables, whatever Inlay's settings.
#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|data: &[u8]| -> Corpus {
    let Some((settings, program)) = inlay_fuzz::seeds::read(data) else {
        return Corpus::Reject;
    };
    if let Some(difference) = inlay_fuzz::compare(&program, &settings) {
        panic!("{settings:?}, {:?}:\n{difference}", program.nans);
    }
    Corpus::Keep
});
