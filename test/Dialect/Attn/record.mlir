// RUN: polyattn-opt %s -split-input-file -verify-diagnostics | polyattn-opt -split-input-file | FileCheck %s

// It has no result, but an effect: it stays.
// CHECK-LABEL: func.func @record
// CHECK: attn.record %{{.*}}, %{{.*}}, %{{.*}} key_weights(%{{.*}} : tensor<?xf32>) scale 5.000000e-01 mask causal as "a\22b" : tensor<?x8xbf16>, tensor<?x8xbf16>, tensor<?x4xbf16>
// CHECK: attn.record %{{.*}}, %{{.*}}, %{{.*}} scale 5.000000e-01 as "x" : tensor<3x?x8xf64>
func.func @record(%q: tensor<?x8xbf16>, %v: tensor<?x4xbf16>, %w: tensor<?xf32>, %x: tensor<3x?x8xf64>) {
  attn.record %q, %q, %v key_weights(%w : tensor<?xf32>) scale 0.5 mask causal as "a\"b" : tensor<?x8xbf16>, tensor<?x8xbf16>, tensor<?x4xbf16>
  attn.record %x, %x, %x scale 0.5 as "x" : tensor<3x?x8xf64>, tensor<3x?x8xf64>, tensor<3x?x8xf64>
  return
}

// -----

func.func @no_key(%q: tensor<4x8xf32>) {
  // expected-error @+1 {{needs a key that names what is recorded}}
  attn.record %q, %q, %q scale 0.5 as "" : tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>
  return
}

// -----

func.func @value(%q: tensor<4x8xf32>, %v: tensor<5x8xf32>) {
  // expected-error @+1 {{dimension 0 of key is 4 but of value is 5}}
  attn.record %q, %q, %v scale 0.5 as "x" : tensor<4x8xf32>, tensor<4x8xf32>, tensor<5x8xf32>
  return
}

// -----

func.func @heads(%q: tensor<4x3x8xf32>, %k: tensor<3x3x8xf32>) {
  // expected-error @+1 {{has 4 query heads, which is not a multiple of its 3 key heads}}
  attn.record %q, %k, %k scale 0.5 as "x" : tensor<4x3x8xf32>, tensor<3x3x8xf32>, tensor<3x3x8xf32>
  return
}

// -----

func.func @weights(%q: tensor<4x8xf32>, %w: tensor<5xf32>) {
  // expected-error @+1 {{key_weights must have the shape of key without its last dimension}}
  attn.record %q, %q, %q key_weights(%w : tensor<5xf32>) scale 0.5 as "x" : tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>
  return
}
