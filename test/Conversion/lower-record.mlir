// attn.record becomes a call, whose declaration needs the module.
// RUN: split-file %s %t
// RUN: polyattn-opt %t/record.mlir --attn-lower-to-reference | FileCheck %s
// RUN: polyattn-opt %t/record.mlir --canonicalize --cse --attn-to-llvm | FileCheck %s --check-prefix=LLVM
// RUN: not polyattn-opt %t/record.mlir --pass-pipeline="builtin.module(func.func(attn-lower-to-reference))" 2>&1 | FileCheck %s --check-prefix=NESTED
// RUN: not polyattn-opt %t/taken.mlir --attn-lower-to-reference 2>&1 | FileCheck %s --check-prefix=TAKEN

// One declaration for both ops.
// CHECK-COUNT-1: func.func private @polyattn_record(memref<?xi8>, memref<?x?x?x?xf64>, memref<?x?x?x?xf64>, memref<?x?x?x?xf64>, memref<?x?x?xf64>, memref<?x?xi64>, f64, i64) attributes {llvm.emit_c_interface}
// CHECK-NOT: func private
// CHECK-LABEL: func.func @two
// CHECK: cf.assert %{{.*}}, "attn: dimension 0 of value must equal dimension 0 of key"
// CHECK: arith.constant dense<[97, 47, 98]> : tensor<3xi8>
// CHECK: tensor.expand_shape
// CHECK: scf.for
// CHECK: %[[SCALE:.*]] = arith.constant -2.500000e-01 : f64
// CHECK: call @polyattn_record({{.*}}, %[[SCALE]], %{{.*}})
// CHECK: tensor.collapse_shape %{{.*}} {{\[\[}}0, 1], [2], [3], [4]]
// CHECK: call @polyattn_record
// CHECK-NOT: attn.
// LLVM: llvm.func @_mlir_ciface_polyattn_record(!llvm.ptr, !llvm.ptr, !llvm.ptr, !llvm.ptr, !llvm.ptr, !llvm.ptr, f64, i64)
// NESTED: record.mlir:2:3: error: 'attn.record' op must be lowered by a pass on the module, where its function can be declared
// TAKEN: taken.mlir:3:3: error: 'attn.record' op calls a function 'polyattn_record', but the module has another one

//--- record.mlir
func.func @two(%q: tensor<?x8xf32>, %k: tensor<?x8xf32>, %v: tensor<?x8xf32>, %x: tensor<2x3x4x?x8xbf16>) {
  attn.record %q, %k, %v scale -0.25 mask causal as "a/b" : tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>
  attn.record %x, %x, %x scale 0.25 as "c" : tensor<2x3x4x?x8xbf16>, tensor<2x3x4x?x8xbf16>, tensor<2x3x4x?x8xbf16>
  return
}
//--- taken.mlir
func.func private @polyattn_record(i32)
func.func @main(%q: tensor<?x8xf32>) {
  attn.record %q, %q, %q scale 1.0 as "a" : tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>
  return
}
