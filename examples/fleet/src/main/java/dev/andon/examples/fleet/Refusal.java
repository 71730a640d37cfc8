package dev.andon.examples.fleet;

/** Why the fleet does not do what it was asked: the {@code code} of an answer, and its status. */
enum Refusal {
  KEY_MISSING("IdempotencyKeyMissing", 400),
  KEY_REUSED("IdempotencyKeyReused", 422),
  KEY_CANCELLED("IdempotencyKeyCancelled", 409),
  SITE_NOT_IN_DECOM("SiteNotInDecom", 409),
  SITE_OF_OTHER_TYPE("SiteOfOtherType", 409),
  ALREADY_ERASED("AlreadyErased", 409),
  ERASE_UNDER_WAY("EraseUnderWay", 409);

  private final String code;
  private final int status;

  Refusal(String code, int status) {
    this.code = code;
    this.status = status;
  }

  String code() {
    return code;
  }

  int status() {
    return status;
  }
}
