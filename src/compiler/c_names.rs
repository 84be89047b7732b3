//! Names of C: which a module's symbol may have, and which those of WebAssembly become.

use crate::error::{Error, Result};
use std::collections::HashMap;

/// Names that look like one of a program's and are none, or would give a header one that is there already: words of C and
/// C++, and, in the second part, what their standard headers call types that end with `_t`, without that.
const TAKEN: &str = "
    alignas alignof and and_eq asm auto bitand bitor bool break case catch char char16_t char32_t char8_t class compl
    concept const const_cast consteval constexpr constinit continue co_await co_return co_yield decltype default
    delete do double dynamic_cast else enum explicit export extern false float for friend goto if inline int long
    main mutable namespace new noexcept not not_eq nullptr operator or or_eq private protected public register
    reinterpret_cast requires restrict return short signed sizeof static static_assert static_cast struct switch
    template this thread_local throw true try typedef typeid typename typeof union unsigned using virtual void
    volatile wchar_t while xor xor_eq

    char16 char32 char8 clock cnd constraint_handler div errno fenv fexcept fpos imaxdiv int16 int32 int64 int8
    intmax intptr ldiv lldiv locale max_align mbstate mode mtx nullptr off pid ptrdiff rsize sig_atomic size ssize
    thrd time tss uint16 uint32 uint64 uint8 uintmax uintptr va_list wchar wctrans wctype wint
";

/// An error unless a name can be a symbol's, with a header of its own.
pub fn check_symbol(name: &str) -> Result<()> {
    let is_letter = |c: char| c.is_ascii_alphabetic() || c == '_';
    let mut letters = name.chars();
    let is_name = letters.next().is_some_and(is_letter)
        && letters.all(|c| is_letter(c) || c.is_ascii_digit());
    if !is_name {
        return Err(Error::argument(format_args!(
            "\"{name}\" is no name for a symbol: it has to be letters, digits and underscores, and not to begin with a digit"
        )));
    }
    if TAKEN.split_whitespace().any(|taken| taken == name)
        || name.starts_with("inlay_")
        || name.starts_with("__")
    {
        return Err(Error::argument(format_args!(
            "\"{name}\" is no name for a symbol: C, C++ or Inlay have it already, or a type of this name with _t behind it"
        )));
    }
    Ok(())
}

/// Names that a header gives, each with the number that another one of it would get.
#[derive(Default)]
pub struct Names(HashMap<String, u32>);

impl Names {
    /// The name that these parts get: joined by underscores, with one in the place of each byte that no name of C has, and a
    /// number behind it if an earlier one is the same.
    pub fn add(&mut self, parts: &[&[u8]]) -> String {
        let plain = |&byte: &u8| match byte.is_ascii_alphanumeric() {
            true => char::from(byte),
            false => '_',
        };
        let parts: Vec<String> = parts
            .iter()
            .map(|part| part.iter().map(plain).collect())
            .collect();
        let name = parts.join("_");
        let Some(next) = self.0.insert(name.clone(), 2) else {
            return name;
        };
        // One with that number can be there by itself.
        let mut numbers = (next..).map(|number| (number, format!("{name}_{number}")));
        let is_free = |(_, name): &(u32, String)| !self.0.contains_key(name);
        let (number, free) = numbers.find(is_free).expect("numbers do not end");
        self.0.insert(name, number + 1);
        self.0.insert(free.clone(), 2);
        free
    }
}

/// Bytes as a literal of C, which can also stand in a comment.
pub fn literal(bytes: &[u8]) -> String {
    let mut text = String::from("\"");
    for &byte in bytes {
        match byte {
            b'"' | b'\\' | b'?' => text.extend(['\\', char::from(byte)]),
            // A star could begin or end a comment.
            b' '..=b'~' if byte != b'*' => text.push(char::from(byte)),
            // Three digits, so that one which follows is no part of it.
            _ => text.push_str(&format!("\\{byte:03o}")),
        }
    }
    text.push('"');
    text
}
