//! Generates events in the shape of the GeoJSON of San Francisco's city lots.

/// A pseudo-random sequence of choices (xorshift).
pub struct Choices(u64);

impl Choices {
    pub fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) as usize % bound
    }
}

/// The number of lines of the original file.
pub const LINES: usize = 213_068;

/// An event, and the values that the rules test.
pub struct Line {
    pub text: Vec<u8>,
    pub lot: String,
    pub street: String,
    pub number: String,
    pub x: String,
}

const SYLLABLES: [&str; 24] = [
    "AR", "BEL", "CAS", "DOR", "EL", "FRAN", "GRE", "HAR", "IN", "JEF", "KEN", "LOM", "MIS", "NOR",
    "OAK", "PAL", "QUI", "RO", "SAN", "TER", "UN", "VAL", "WEB", "YOR",
];
const KINDS: [&str; 6] = ["\"ST\"", "\"AVE\"", "\"BLVD\"", "\"WAY\"", "\"DR\"", "null"];

/// The name of one of 2,000 streets.
pub fn street(index: usize) -> String {
    let mut choices = Choices::new(index as u64 * 7919 + 17);
    (0..2 + choices.below(2)).map(|_| SYLLABLES[choices.below(24)]).collect()
}

pub fn line(index: usize, seed: u64) -> Line {
    let mut choices = Choices::new(seed.wrapping_add(index as u64).wrapping_mul(0x9e37_79b9));
    for _ in 0..4 {
        choices.below(2);
    }
    let (block, number) = (index / 40, format!("{:03}", index % 40 + 1));
    let lot = format!("{block:04}{number}");
    let street = street(choices.below(2000));
    let address = choices.below(4000);
    let kind = KINDS[choices.below(KINDS.len())];
    let side = if address % 2 == 0 { "E" } else { "O" };
    let degrees = |choices: &mut Choices, whole: &str| {
        format!("{whole}.{:06}{:06}", choices.below(1_000_000), choices.below(1_000_000))
    };
    let points: Vec<String> = (0..9 + choices.below(12))
        .map(|_| {
            let x = degrees(&mut choices, "-122");
            let y = degrees(&mut choices, "37");
            format!("[{x},{y},0.0]")
        })
        .collect();
    let x = points[0][1..].split(',').next().unwrap_or_default().to_owned();
    let text = format!(
        "{{\"type\":\"Feature\",\"properties\":{{\"MAPBLKLOT\":\"{lot}\",\"BLKLOT\":\"{lot}\",\
         \"BLOCK_NUM\":\"{block:04}\",\"LOT_NUM\":\"{number}\",\"FROM_ST\":\"{address}\",\
         \"TO_ST\":\"{address}\",\"STREET\":\"{street}\",\"ST_TYPE\":{kind},\
         \"ODD_EVEN\":\"{side}\"}},\
         \"geometry\":{{\"type\":\"Polygon\",\"firstCoordinates\":{{\"x\":{x},\"z\":0.0}},\
         \"coordinates\":[[{}]]}}}}",
        points.join(",")
    );
    Line { text: text.into_bytes(), lot, street, number, x }
}
