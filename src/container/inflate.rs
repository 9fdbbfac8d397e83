//! DEFLATE of content that is in memory (RFC 1951, RFC 1952).
//!
//! `libdeflate` is twice as fast as any streaming decoder, and a registry of `.tgz` spends half its time here.
//! It is C, it wants the whole output in one buffer, and it returns nothing at all of a member that is damaged
//! or larger than the buffer. So it is used only where everything is fine, and everything else goes through the
//! streaming decoder (`zlib-rs`, memory-safe), which gives what can be had. The two are each other's oracle in
//! the tests below.
//!
//! This is one of the few modules that may use `unsafe`: the calls of the C library. Each passes a pointer and
//! the length of a slice that is borrowed for the call, and checks what comes back against those lengths.

#![allow(unsafe_code)]

use std::cell::RefCell;
use std::ptr::NonNull;

/// Why the fast decoder gave nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FastError {
    /// The input is damaged or cut: the streaming decoder can say how far.
    #[error("the compressed data is damaged or cut")]
    BadData,
    /// The output is larger than the buffer.
    #[error("the output is larger than the buffer")]
    NoSpace,
}

/// The C library's decoder, kept for reuse.
struct Decoder(NonNull<libdeflate_sys::libdeflate_decompressor>);

impl Decoder {
    fn new() -> Option<Self> {
        // SAFETY: no arguments; null means out of memory and is checked.
        NonNull::new(unsafe { libdeflate_sys::libdeflate_alloc_decompressor() }).map(Self)
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        // SAFETY: the pointer came from `libdeflate_alloc_decompressor` and is freed once.
        unsafe { libdeflate_sys::libdeflate_free_decompressor(self.0.as_ptr()) }
    }
}

thread_local! {
    static DECODER: RefCell<Option<Decoder>> = const { RefCell::new(None) };
}

/// Which framing the input has.
#[derive(Clone, Copy)]
enum Framing {
    Gzip,
    Zlib,
    Raw,
}

/// Inflates one gzip member at the start of `input` into `output`.
///
/// Returns (bytes of input used, bytes of output made).
///
/// # Errors
/// [`FastError::BadData`] also for a wrong checksum or length: ask the streaming decoder what is wrong.
pub fn gzip_member(input: &[u8], output: &mut [u8]) -> Result<(usize, usize), FastError> {
    call(Framing::Gzip, input, output)
}

/// Inflates one raw DEFLATE stream at the start of `input` into `output`.
///
/// Returns (bytes of input used, bytes of output made).
///
/// # Errors
/// As [`gzip_member`].
pub fn raw(input: &[u8], output: &mut [u8]) -> Result<(usize, usize), FastError> {
    call(Framing::Raw, input, output)
}

/// Inflates one zlib stream (RFC 1950) at the start of `input` into `output`; its checksum is checked.
///
/// Returns (bytes of input used, bytes of output made).
///
/// # Errors
/// As [`gzip_member`].
pub fn zlib(input: &[u8], output: &mut [u8]) -> Result<(usize, usize), FastError> {
    call(Framing::Zlib, input, output)
}

fn call(framing: Framing, input: &[u8], output: &mut [u8]) -> Result<(usize, usize), FastError> {
    DECODER.with_borrow_mut(|slot| {
        if slot.is_none() {
            *slot = Decoder::new();
        }
        let Some(decoder) = slot.as_ref() else {
            return Err(FastError::NoSpace);
        };
        let run = match framing {
            Framing::Gzip => libdeflate_sys::libdeflate_gzip_decompress_ex,
            Framing::Zlib => libdeflate_sys::libdeflate_zlib_decompress_ex,
            Framing::Raw => libdeflate_sys::libdeflate_deflate_decompress_ex,
        };
        let (mut used, mut made) = (0, 0);
        // SAFETY: both pointers come from slices that live through the call, with their own lengths; the
        // library writes at most `output.len()` bytes and stores to the two locals.
        let result = unsafe {
            run(
                decoder.0.as_ptr(),
                input.as_ptr().cast(),
                input.len(),
                output.as_mut_ptr().cast(),
                output.len(),
                &raw mut used,
                &raw mut made,
            )
        };
        match result {
            libdeflate_sys::libdeflate_result_LIBDEFLATE_SUCCESS
                if used <= input.len() && made <= output.len() =>
            {
                Ok((used, made))
            }
            libdeflate_sys::libdeflate_result_LIBDEFLATE_INSUFFICIENT_SPACE => {
                Err(FastError::NoSpace)
            }
            _ => Err(FastError::BadData),
        }
    })
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use proptest::prelude::*;

    use super::*;

    fn deflated(bytes: &[u8]) -> Vec<u8> {
        let mut encoder =
            flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// The safe twin.
    fn safe(input: &[u8]) -> Option<Vec<u8>> {
        let mut output = Vec::new();
        flate2::read::DeflateDecoder::new(input)
            .read_to_end(&mut output)
            .ok()?;
        Some(output)
    }

    #[test]
    fn a_zlib_stream_is_checked() {
        let mut encoder =
            flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(b"some text").unwrap();
        let mut packed = encoder.finish().unwrap();
        let len = packed.len();
        packed.push(7);
        let mut output = [0; 9];
        assert_eq!(zlib(&packed, &mut output), Ok((len, 9)));
        assert_eq!(&output, b"some text");
        packed[len - 1] ^= 1;
        assert_eq!(zlib(&packed, &mut output), Err(FastError::BadData));
    }

    #[test]
    fn a_buffer_that_is_too_small_is_said() {
        let packed = deflated(&[0; 1_000]);
        assert_eq!(raw(&packed, &mut [0; 999]), Err(FastError::NoSpace));
        assert_eq!(
            raw(&packed, &mut [0; 1_000]).map(|(_, made)| made),
            Ok(1_000)
        );
    }

    proptest! {
        #[test]
        fn agrees_with_the_safe_decoder_on_valid_data(bytes in proptest::collection::vec(any::<u8>(), 0..5_000)) {
            let packed = deflated(&bytes);
            let mut output = vec![0; bytes.len()];
            let (used, made) = raw(&packed, &mut output).unwrap();
            prop_assert_eq!((used, made), (packed.len(), bytes.len()));
            prop_assert_eq!(Some(output), safe(&packed));
        }

        #[test]
        fn never_gives_what_the_safe_decoder_refuses(
            bytes in proptest::collection::vec(any::<u8>(), 1..2_000),
            flip in any::<prop::sample::Index>(),
            bit in 0..8_u8,
        ) {
            let mut packed = deflated(&bytes);
            let at = flip.index(packed.len());
            packed[at] ^= 1 << bit;
            let mut output = vec![0; 1 << 20];
            if let Ok((_, made)) = raw(&packed, &mut output) {
                output.truncate(made);
                prop_assert_eq!(Some(output), safe(&packed));
            }
        }
    }
}
