//! What each diagnostic means, one small file each, with a wrong and a right example.

/// Number of each diagnostic and its text: a title, a blank line, the rest.
const EXPLANATIONS: &[(u16, &str)] = &[
    (101, include_str!("explain/0101.md")),
    (102, include_str!("explain/0102.md")),
    (103, include_str!("explain/0103.md")),
    (104, include_str!("explain/0104.md")),
    (105, include_str!("explain/0105.md")),
    (106, include_str!("explain/0106.md")),
    (107, include_str!("explain/0107.md")),
    (108, include_str!("explain/0108.md")),
    (109, include_str!("explain/0109.md")),
    (110, include_str!("explain/0110.md")),
    (111, include_str!("explain/0111.md")),
    (112, include_str!("explain/0112.md")),
    (113, include_str!("explain/0113.md")),
    (114, include_str!("explain/0114.md")),
    (115, include_str!("explain/0115.md")),
    (116, include_str!("explain/0116.md")),
    (130, include_str!("explain/0130.md")),
    (131, include_str!("explain/0131.md")),
    (140, include_str!("explain/0140.md")),
    (141, include_str!("explain/0141.md")),
    (142, include_str!("explain/0142.md")),
    (201, include_str!("explain/0201.md")),
    (202, include_str!("explain/0202.md")),
    (203, include_str!("explain/0203.md")),
    (204, include_str!("explain/0204.md")),
    (205, include_str!("explain/0205.md")),
    (206, include_str!("explain/0206.md")),
    (207, include_str!("explain/0207.md")),
    (208, include_str!("explain/0208.md")),
    (209, include_str!("explain/0209.md")),
    (210, include_str!("explain/0210.md")),
    (211, include_str!("explain/0211.md")),
    (212, include_str!("explain/0212.md")),
    (213, include_str!("explain/0213.md")),
    (214, include_str!("explain/0214.md")),
    (215, include_str!("explain/0215.md")),
    (216, include_str!("explain/0216.md")),
    (217, include_str!("explain/0217.md")),
    (218, include_str!("explain/0218.md")),
    (219, include_str!("explain/0219.md")),
    (221, include_str!("explain/0221.md")),
    (222, include_str!("explain/0222.md")),
    (223, include_str!("explain/0223.md")),
    (224, include_str!("explain/0224.md")),
    (225, include_str!("explain/0225.md")),
    (226, include_str!("explain/0226.md")),
    (227, include_str!("explain/0227.md")),
    (228, include_str!("explain/0228.md")),
    (229, include_str!("explain/0229.md")),
    (240, include_str!("explain/0240.md")),
    (241, include_str!("explain/0241.md")),
    (242, include_str!("explain/0242.md")),
    (243, include_str!("explain/0243.md")),
    (244, include_str!("explain/0244.md")),
    (245, include_str!("explain/0245.md")),
    (246, include_str!("explain/0246.md")),
    (247, include_str!("explain/0247.md")),
    (250, include_str!("explain/0250.md")),
    (301, include_str!("explain/0301.md")),
    (302, include_str!("explain/0302.md")),
    (303, include_str!("explain/0303.md")),
    (304, include_str!("explain/0304.md")),
    (305, include_str!("explain/0305.md")),
    (306, include_str!("explain/0306.md")),
    (307, include_str!("explain/0307.md")),
    (308, include_str!("explain/0308.md")),
    (309, include_str!("explain/0309.md")),
    (310, include_str!("explain/0310.md")),
    (311, include_str!("explain/0311.md")),
    (312, include_str!("explain/0312.md")),
    (313, include_str!("explain/0313.md")),
    (314, include_str!("explain/0314.md")),
    (320, include_str!("explain/0320.md")),
    (321, include_str!("explain/0321.md")),
    (322, include_str!("explain/0322.md")),
    (323, include_str!("explain/0323.md")),
    (324, include_str!("explain/0324.md")),
    (330, include_str!("explain/0330.md")),
    (331, include_str!("explain/0331.md")),
    (332, include_str!("explain/0332.md")),
    (333, include_str!("explain/0333.md")),
    (334, include_str!("explain/0334.md")),
    (335, include_str!("explain/0335.md")),
    (336, include_str!("explain/0336.md")),
    (401, include_str!("explain/0401.md")),
    (402, include_str!("explain/0402.md")),
    (403, include_str!("explain/0403.md")),
    (404, include_str!("explain/0404.md")),
    (405, include_str!("explain/0405.md")),
    (406, include_str!("explain/0406.md")),
    (407, include_str!("explain/0407.md")),
    (408, include_str!("explain/0408.md")),
    (409, include_str!("explain/0409.md")),
    (410, include_str!("explain/0410.md")),
    (411, include_str!("explain/0411.md")),
    (412, include_str!("explain/0412.md")),
    (413, include_str!("explain/0413.md")),
    (414, include_str!("explain/0414.md")),
    (415, include_str!("explain/0415.md")),
    (416, include_str!("explain/0416.md")),
    (417, include_str!("explain/0417.md")),
    (418, include_str!("explain/0418.md")),
    (419, include_str!("explain/0419.md")),
    (420, include_str!("explain/0420.md")),
    (421, include_str!("explain/0421.md")),
    (422, include_str!("explain/0422.md")),
    (423, include_str!("explain/0423.md")),
    (424, include_str!("explain/0424.md")),
    (425, include_str!("explain/0425.md")),
    (426, include_str!("explain/0426.md")),
    (428, include_str!("explain/0428.md")),
    (429, include_str!("explain/0429.md")),
    (430, include_str!("explain/0430.md")),
    (431, include_str!("explain/0431.md")),
    (432, include_str!("explain/0432.md")),
    (440, include_str!("explain/0440.md")),
    (441, include_str!("explain/0441.md")),
    (442, include_str!("explain/0442.md")),
    (443, include_str!("explain/0443.md")),
    (444, include_str!("explain/0444.md")),
    (445, include_str!("explain/0445.md")),
    (446, include_str!("explain/0446.md")),
    (447, include_str!("explain/0447.md")),
    (448, include_str!("explain/0448.md")),
    (449, include_str!("explain/0449.md")),
    (450, include_str!("explain/0450.md")),
    (501, include_str!("explain/0501.md")),
    (502, include_str!("explain/0502.md")),
    (503, include_str!("explain/0503.md")),
    (504, include_str!("explain/0504.md")),
    (505, include_str!("explain/0505.md")),
    (506, include_str!("explain/0506.md")),
    (507, include_str!("explain/0507.md")),
    (508, include_str!("explain/0508.md")),
    (509, include_str!("explain/0509.md")),
    (520, include_str!("explain/0520.md")),
    (521, include_str!("explain/0521.md")),
    (522, include_str!("explain/0522.md")),
    (523, include_str!("explain/0523.md")),
    (524, include_str!("explain/0524.md")),
    (525, include_str!("explain/0525.md")),
    (526, include_str!("explain/0526.md")),
    (527, include_str!("explain/0527.md")),
    (528, include_str!("explain/0528.md")),
    (529, include_str!("explain/0529.md")),
    (541, include_str!("explain/0541.md")),
    (542, include_str!("explain/0542.md")),
    (543, include_str!("explain/0543.md")),
    (544, include_str!("explain/0544.md")),
    (545, include_str!("explain/0545.md")),
    (550, include_str!("explain/0550.md")),
    (551, include_str!("explain/0551.md")),
    (552, include_str!("explain/0552.md")),
    (553, include_str!("explain/0553.md")),
    (601, include_str!("explain/0601.md")),
    (602, include_str!("explain/0602.md")),
    (603, include_str!("explain/0603.md")),
    (604, include_str!("explain/0604.md")),
    (605, include_str!("explain/0605.md")),
    (606, include_str!("explain/0606.md")),
    (607, include_str!("explain/0607.md")),
    (608, include_str!("explain/0608.md")),
    (609, include_str!("explain/0609.md")),
    (610, include_str!("explain/0610.md")),
    (701, include_str!("explain/0701.md")),
    (702, include_str!("explain/0702.md")),
    (703, include_str!("explain/0703.md")),
    (704, include_str!("explain/0704.md")),
    (705, include_str!("explain/0705.md")),
    (706, include_str!("explain/0706.md")),
    (707, include_str!("explain/0707.md")),
    (801, include_str!("explain/0801.md")),
    (802, include_str!("explain/0802.md")),
    (803, include_str!("explain/0803.md")),
    (804, include_str!("explain/0804.md")),
    (805, include_str!("explain/0805.md")),
    (806, include_str!("explain/0806.md")),
    (807, include_str!("explain/0807.md")),
];

/// Whether a message stops the run: an error does, a warning does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The model cannot be run.
    Error,
    /// It can, but probably not as meant.
    Warning,
}

/// The stable number of a diagnostic, written `E0101`, or `W0101` as a warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(pub u16);

/// Codes of messages that belong to no enum of errors.
impl Code {
    /// The text is not well-formed XML.
    pub const MALFORMED: Code = Code(101);
    /// There is no such file.
    pub const NO_SUCH_FILE: Code = Code(102);
    /// A file cannot be read.
    pub const UNREADABLE: Code = Code(107);
    /// A file is written in another language.
    pub const OTHER_LANGUAGE: Code = Code(116);
    /// The run needs too much memory.
    pub const TOO_MUCH_MEMORY: Code = Code(425);
    /// The model cannot be compiled.
    pub const NOT_COMPILED: Code = Code(509);
    /// Two outputs have one name.
    pub const SHARED_OUTPUT: Code = Code(525);
    /// A variable is not a number at the end of the run.
    pub const NOT_A_NUMBER: Code = Code(527);
    /// The file is not a checkpoint.
    pub const NOT_A_CHECKPOINT: Code = Code(541);
    /// A checkpoint that would be replaced.
    pub const REPLACED_CHECKPOINT: Code = Code(545);
    /// A kernel is too long for machine code.
    pub const LONG_KERNEL: Code = Code(550);
    /// Some ranks of a run have nothing to do.
    pub const IDLE_RANKS: Code = Code(553);
    /// A command names something that the model does not have.
    pub const NO_SUCH_NAME: Code = Code(601);
    /// A setting fits nothing.
    pub const USELESS_SETTING: Code = Code(602);
    /// Something does not fit the rest of the file.
    pub const MISFIT: Code = Code(603);
    /// The command line is wrong.
    pub const WRONG_COMMAND: Code = Code(604);
    /// There is nothing to compare with.
    pub const NOTHING_TO_COMPARE: Code = Code(605);
    /// A picture cannot be made.
    pub const NO_PICTURE: Code = Code(606);
    /// It is not clear what to run.
    pub const NOTHING_TO_RUN: Code = Code(607);
    /// What to record is not there.
    pub const NOT_RECORDED: Code = Code(608);
    /// The standard output cannot be written.
    pub const NO_STANDARD_OUTPUT: Code = Code(609);
    /// The specification of a sweep is wrong.
    pub const WRONG_SWEEP: Code = Code(610);
    /// Of several runs, an export has the last.
    pub const LAST_RUN: Code = Code(806);
    /// Another program that an export needs is missing or fails.
    pub const OTHER_PROGRAM: Code = Code(807);
    /// A schema cannot be used.
    pub const UNUSABLE_SCHEMA: Code = Code(701);
    /// The schema does not allow an element here.
    pub const NOT_IN_SCHEMA: Code = Code(702);
}

impl Code {
    /// All codes, in order.
    pub fn all() -> impl Iterator<Item = Code> {
        EXPLANATIONS.iter().map(|(number, _)| Code(*number))
    }

    /// Reads `E0101`, `w0101` or `101`; None if there is no such diagnostic.
    pub fn parse(text: &str) -> Option<Code> {
        let number = text.trim_start_matches(['E', 'e', 'W', 'w']);
        let code = Code(number.parse().ok()?);
        code.text().map(|_| code)
    }

    /// Whether a warning with this code is shown even without `-v`.
    ///
    /// These warnings say that the program reads a model differently from what it says, or that a part of the model
    /// has no effect.
    pub fn is_always_shown(self) -> bool {
        const ALWAYS_SHOWN: [u16; 15] = [
            113, 225, 226, 229, 247, 416, 425, 426, 430, 449, 450, 525, 550, 553, 806,
        ];
        self.is_mistake() || ALWAYS_SHOWN.contains(&self.0)
    }

    /// Whether it is a mistake. A mistake is only a warning if jLEMS, or NEURON by way of jNeuroML, runs the model in
    /// spite of it.
    /// `run --strict` and `validate` make an error of it.
    pub fn is_mistake(self) -> bool {
        matches!(
            self.0,
            101 | 103
                | 104
                | 204
                | 206
                | 207
                | 208
                | 211
                | 215
                | 218
                | 219
                | 227
                | 228
                | 241
                | 242
                | 244
                | 301..=336 | 403 | 405 | 407 | 408 | 415 | 448
        )
    }

    /// The code as messages show it.
    pub fn label(self, severity: Severity) -> String {
        let letter = match severity {
            Severity::Error => 'E',
            Severity::Warning => 'W',
        };
        format!("{letter}{:04}", self.0)
    }

    /// Title, explanation and example.
    pub fn text(self) -> Option<&'static str> {
        let found = EXPLANATIONS.binary_search_by_key(&self.0, |(number, _)| *number);
        Some(EXPLANATIONS.get(found.ok()?)?.1)
    }

    /// The first line of the text.
    pub fn title(self) -> &'static str {
        self.text()
            .and_then(|text| text.lines().next())
            .unwrap_or("")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_in_order_and_every_text_has_a_title_and_a_body() {
        assert!(EXPLANATIONS.is_sorted_by(|a, b| a.0 < b.0));
        for (number, text) in EXPLANATIONS {
            let (title, body) = text.split_once("\n\n").unwrap();
            assert!(!title.contains('\n') && !title.ends_with('.'), "{number}");
            assert!(!body.trim().is_empty(), "{number}");
            assert_eq!(text.contains("Wrong:"), text.contains("Right:"), "{number}");
        }
    }
}
