//! What is declared in a header.

/// The parts of a header, as far as this test needs to know them.
#[derive(Debug, PartialEq)]
pub enum Part {
    /// A comment that documents: `/** ... */`, `/*! ... */` or lines of `///`.
    Doc(String),
    Comment,
    Directive(String),
    /// Up to its semicolon.
    Declaration(String),
    /// `extern "C" {` and the brace that ends it.
    Linkage,
}

pub fn parts(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let len;
        if rest.starts_with("/*") {
            len = rest.find("*/").expect("the end of a comment") + 2;
            let comment = &rest[..len];
            let is_doc = comment.starts_with("/**") || comment.starts_with("/*!");
            parts.push(if is_doc {
                Part::Doc(comment.to_owned())
            } else {
                Part::Comment
            });
        } else if rest.starts_with("//") {
            len = rest.find('\n').unwrap_or(rest.len());
            let comment = &rest[..len];
            match parts.last_mut() {
                Some(Part::Doc(doc)) if comment.starts_with("///") => doc.push_str(comment),
                _ if comment.starts_with("///") => parts.push(Part::Doc(comment.to_owned())),
                _ => parts.push(Part::Comment),
            }
        } else if rest.starts_with('#') {
            let mut end = 0; // a backslash takes the next line along
            loop {
                end += rest[end..].find('\n').map_or(rest.len() - end, |at| at + 1);
                if end == rest.len() || !rest[..end].trim_end_matches('\n').ends_with('\\') {
                    break;
                }
            }
            len = end;
            parts.push(Part::Directive(rest[..len].trim_end().to_owned()));
        } else if rest.starts_with("extern \"C\"") {
            len = rest.find('{').expect("a brace after extern \"C\"") + 1;
            parts.push(Part::Linkage);
        } else if rest.starts_with('}') {
            len = 1;
            parts.push(Part::Linkage);
        } else {
            let mut depth = 0;
            let mut at = 0;
            loop {
                let tail = &rest[at..];
                if tail.starts_with("/*") {
                    at += tail.find("*/").expect("the end of a comment") + 2;
                    continue;
                }
                if tail.starts_with("//") {
                    at += tail.find('\n').expect("a line after a comment");
                    continue;
                }
                let c = tail
                    .chars()
                    .next()
                    .expect("a semicolon before the end of the header");
                at += c.len_utf8();
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    ';' if depth == 0 => break,
                    _ => {}
                }
            }
            len = at;
            parts.push(Part::Declaration(rest[..len].to_owned()));
        }
        rest = rest[len..].trim_start();
    }
    parts
}

/// The function that a declaration declares, if it does: the name before the first parenthesis.
pub fn function_name(declaration: &str) -> Option<&str> {
    if declaration.starts_with("typedef")
        || declaration.starts_with("struct")
        || declaration.starts_with("union")
        || declaration.starts_with("enum")
    {
        return None;
    }
    let before = declaration[..declaration.find('(')?].trim_end();
    let start = before
        .rfind(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .map_or(0, |at| at + 1);
    Some(&before[start..])
}

/// The name of a type or a constant that a declaration declares. It comes last: `typedef struct x { ... } x;`, but inside
/// `(*x)(...)` of a function pointer.
pub fn type_name(declaration: &str) -> String {
    let head = declaration.split(" = ").next().unwrap_or(declaration);
    let head = head.trim_end_matches(';').trim_end();
    let inner = match (head.contains('{'), head.find("(*")) {
        (false, Some(at)) => &head[at + 2..],
        _ => &head[head.rfind([' ', '}', '*']).map_or(0, |at| at + 1)..],
    };
    let name = inner.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    name.into_iter().next().unwrap_or("").to_owned()
}
