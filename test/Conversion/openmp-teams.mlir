// RUN: polyattn-opt %s -convert-scf-to-openmp -attn-openmp-teams | FileCheck %s

// A loop from 0 with step 1: threads only if there is more than one iteration.
// CHECK-LABEL: func @counted
// CHECK-SAME: (%[[N:.*]]: index
// CHECK: %[[SEVERAL:.*]] = arith.cmpi sgt, %[[N]], %{{.*}} : index
// CHECK: omp.parallel if(%[[SEVERAL]]) {
// CHECK-NEXT: omp.wsloop schedule(dynamic) {
func.func @counted(%n: index, %m: memref<?xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %x = arith.constant 1.0 : f32
  scf.parallel (%i) = (%c0) to (%n) step (%c1) {
    memref.store %x, %m[%i] : memref<?xf32>
  }
  return
}

// Others stay: their number of iterations takes more to compute.
// CHECK-LABEL: func @other_start
// CHECK: omp.parallel {
// CHECK-NEXT: omp.wsloop {
func.func @other_start(%from: index, %n: index, %m: memref<?xf32>) {
  %c1 = arith.constant 1 : index
  %x = arith.constant 1.0 : f32
  scf.parallel (%i) = (%from) to (%n) step (%c1) {
    memref.store %x, %m[%i] : memref<?xf32>
  }
  return
}

// CHECK-LABEL: func @two_dimensions
// CHECK: omp.parallel {
// CHECK-NEXT: omp.wsloop {
func.func @two_dimensions(%n: index, %m: memref<?x?xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %x = arith.constant 1.0 : f32
  scf.parallel (%i, %j) = (%c0, %c0) to (%n, %n) step (%c1, %c1) {
    memref.store %x, %m[%i, %j] : memref<?x?xf32>
  }
  return
}
