//! The client side of the stream bench: one connection that sends records as fast as they are taken, and counts the
//! reports that come back.
//!
//!     stream_load HOST:PORT PATH RECORDS BYTES_PER_RECORD
//!
//! Prints records per second as one number. Plain sockets, so that the client costs as little as a client can.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Instant;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = |what: &str| arguments.next().ok_or_else(|| format!("missing argument: {what}"));
    let (address, path) = (next("HOST:PORT")?, next("PATH")?);
    let (records, size): (usize, usize) = (next("RECORDS")?.parse()?, next("BYTES_PER_RECORD")?.parse()?);

    let data = base64_simd::STANDARD.encode_to_string(vec![b'x'; size]);
    let record = format!("{{\"value\":{{\"type\":\"BINARY\",\"data\":\"{data}\"}}}}\n");
    let per_chunk = (64 * 1024 / record.len()).max(1);
    let chunk = record.repeat(per_chunk);
    let chunks = records.div_ceil(per_chunk);

    let mut writer = TcpStream::connect(&address)?;
    writer.set_nodelay(true)?;
    let mut reader = writer.try_clone()?;
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n",
        chunk.len() * chunks
    );
    let began = Instant::now();
    let sender = std::thread::spawn(move || -> std::io::Result<()> {
        writer.write_all(head.as_bytes())?;
        for _ in 0..chunks {
            writer.write_all(chunk.as_bytes())?;
        }
        Ok(())
    });
    // Only counts: a report begins with error_code, a good one with 200.
    let (mut good, mut all, mut carried) = (0usize, 0usize, Vec::new());
    let mut buffer = vec![0u8; 256 * 1024];
    loop {
        let got = reader.read(&mut buffer)?;
        if got == 0 {
            break;
        }
        carried.extend_from_slice(&buffer[..got]);
        let mut from = 0;
        const MARK: &[u8] = b"{\"error_code\":";
        while let Some(at) = memchr::memmem::find(&carried[from..], MARK) {
            let code = from + at + MARK.len();
            if code + 4 > carried.len() {
                break;
            }
            all += 1;
            good += usize::from(&carried[code..code + 4] == b"200,");
            from = code;
        }
        let keep = carried.len().saturating_sub(MARK.len() + 4).max(from);
        carried.drain(..keep.min(carried.len()));
    }
    sender.join().map_err(|_| "the sender panicked")??;
    let seconds = began.elapsed().as_secs_f64();
    if good != per_chunk * chunks {
        return Err(format!("{good} of {} records were written ({all} reports)", per_chunk * chunks).into());
    }
    writeln!(std::io::stdout(), "{:.0}", good as f64 / seconds)?;
    Ok(())
}
