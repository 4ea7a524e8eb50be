// Two loops that differ in nothing but their arrays become one function.
// RUN: polyattn-opt %s -attn-outline-loops | FileCheck %s
// RUN: polyattn-opt %s -attn-outline-loops -duplicate-function-elimination | FileCheck %s --check-prefix=ONCE

// CHECK-LABEL: func.func @main(
// CHECK-SAME: %[[A:.*]]: memref<8xf32>, %[[B:.*]]: memref<8xf32>, %[[N:.*]]: index)
// CHECK: call @[[FIRST:[a-z_0-9]*]](%[[A]], %[[N]])
// CHECK: call @[[SECOND:[a-z_0-9]*]](%[[B]], %[[N]])
// CHECK: scf.parallel
// CHECK: scf.reduce(
// CHECK: func.func private @[[FIRST]](%[[C:.*]]: memref<8xf32>, %[[M:.*]]: index)
// CHECK: %[[X:.*]] = arith.constant 2.0
// CHECK: scf.parallel {{.*}} to (%[[M]])
// CHECK: memref.store %[[X]], %[[C]]
// CHECK: func.func private @[[SECOND]]

// ONCE: call @[[ONE:[a-z_0-9]*]](
// ONCE: call @[[ONE]](
// ONCE-COUNT-1: func.func private
// ONCE-NOT: func.func private
func.func @main(%a: memref<8xf32>, %b: memref<8xf32>, %n: index) -> f32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %x = arith.constant 2.0 : f32
  scf.parallel (%i) = (%c0) to (%n) step (%c1) {
    memref.store %x, %a[%i] : memref<8xf32>
  }
  scf.parallel (%i) = (%c0) to (%n) step (%c1) {
    memref.store %x, %b[%i] : memref<8xf32>
  }
  // One with a result stays.
  %s = scf.parallel (%i) = (%c0) to (%n) step (%c1) init (%x) -> f32 {
    %y = memref.load %a[%i] : memref<8xf32>
    scf.reduce(%y : f32) {
    ^bb0(%l: f32, %r: f32):
      %z = arith.addf %l, %r : f32
      scf.reduce.return %z : f32
    }
  }
  return %s : f32
}
