//! Any bytes as a word's weights or as a model's file: a model or one error, in bounded memory. The hash at the end of a
//! word's weights is set right as well, so that what lies behind it is reached; what can be read then listens.
#![no_main]

use ear::head::HeadState;
use ear::onnx::Tensors;
use ear::onset::Locator;
use ear::{EMBEDDING_SIZE, SILENT_FRAME, WordModel};
use libfuzzer_sys::fuzz_target;
use sha2::{Digest, Sha256};

fn listen(model: &WordModel) {
    for head in &model.heads {
        HeadState::new(head, &[0.5; EMBEDDING_SIZE]).push(head, &[-1.0; EMBEDDING_SIZE]);
    }
    Locator::new(&model.onset).locate(&model.onset, &[SILENT_FRAME; 200]);
}

fuzz_target!(|bytes: &[u8]| {
    if let Ok(tensors) = Tensors::read("fuzz", bytes) {
        assert!(tensors.len() <= ear::onnx::TENSORS_MAX);
    }
    assert!(WordModel::from_bytes(bytes).is_err(), "a hash was guessed");
    let mut values = b"SOTTOWW2".to_vec();
    values.extend_from_slice(bytes);
    let hash = Sha256::digest(&values);
    values.extend_from_slice(&hash);
    if let Ok(model) = WordModel::from_bytes(&values) {
        assert_eq!(model.to_bytes(), values);
        listen(&model);
    }
});
