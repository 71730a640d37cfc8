package dev.andon.operator.execution;

/**
 * One try of one job. Its text, {@code uid/block/index/attempt}, is the Idempotency-Key: the same
 * for every send of the attempt.
 *
 * @param uid of the workflow; of the one that sent it first, where another continues it
 * @param block name of the block
 * @param index of the job in the block, from 0
 * @param attempt from 1
 */
public record AttemptKey(String uid, String block, int index, int attempt) {
  @Override
  public String toString() {
    return uid + "/" + block + "/" + index + "/" + attempt;
  }
}
