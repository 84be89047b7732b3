//! The header of a saved image, as far as damage under a right checksum needs it; written from what the form says, not
//! with the library's own code.

/// Magic, version, form, checksum, and the lengths of metadata and text.
pub const MAGIC_TO_FORM: std::ops::Range<usize> = 0..32;
pub const CHECKSUM: std::ops::Range<usize> = 32..40;
pub const METADATA_LEN: std::ops::Range<usize> = 40..48;
pub const TEXT_LEN: std::ops::Range<usize> = 48..56;
pub const ALIGN: std::ops::Range<usize> = 56..60;

/// Writes the checksum that the bytes, which have a whole header, should have.
pub fn repair_checksum(image: &mut [u8]) {
    let without = [&image[..CHECKSUM.start], &image[CHECKSUM.end..]];
    // What is left at the end of a part is a word too, with zeros behind, also where nothing is left.
    let words = without.iter().flat_map(|part| {
        (0..=part.len() / 8).map(|word| {
            let bytes = &part[word * 8..part.len().min(word * 8 + 8)];
            let from_last = bytes.iter().rev();
            from_last.fold(0, |word, byte| word << 8 | u64::from(*byte))
        })
    });
    let len = image.len() as u64;
    let sum = words
        .chain([len])
        .fold(0xcbf2_9ce4_8422_2325, |sum: u64, word| {
            let product = (sum ^ word).wrapping_mul(0x0100_0000_01b3);
            product ^ product >> 32
        });
    image[CHECKSUM].copy_from_slice(&sum.to_le_bytes());
}
