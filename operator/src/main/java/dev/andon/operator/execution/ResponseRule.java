package dev.andon.operator.execution;

import com.fasterxml.jackson.databind.JsonNode;
import com.google.protobuf.NullValue;
import dev.cel.common.CelOptions;
import dev.cel.common.CelValidationException;
import dev.cel.common.types.MapType;
import dev.cel.common.types.SimpleType;
import dev.cel.compiler.CelCompiler;
import dev.cel.compiler.CelCompilerFactory;
import dev.cel.parser.CelStandardMacro;
import dev.cel.runtime.CelEvaluationException;
import dev.cel.runtime.CelRuntime;
import dev.cel.runtime.CelRuntimeFactory;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A CEL expression over an answer: {@code response.status} (int), {@code response.headers} (map of
 * strings, names in lower case) and {@code response.body} (the parsed JSON, or a string). Any other
 * field of {@code response} is an error when it is compiled. It must give a bool.
 */
final class ResponseRule {
  private static final CelOptions OPTIONS =
      CelOptions.current()
          .enableHeterogeneousNumericComparisons(true)
          .comprehensionMaxIterations(100_000)
          .build();

  private static final CelCompiler COMPILER =
      CelCompilerFactory.standardCelCompilerBuilder()
          .setOptions(OPTIONS)
          .setStandardMacros(CelStandardMacro.STANDARD_MACROS)
          .addVar("response.status", SimpleType.INT)
          .addVar("response.headers", MapType.create(SimpleType.STRING, SimpleType.STRING))
          .addVar("response.body", SimpleType.DYN)
          .setResultType(SimpleType.BOOL)
          .build();

  private static final CelRuntime RUNTIME =
      CelRuntimeFactory.plannerRuntimeBuilder().setOptions(OPTIONS).build();

  private final CelRuntime.Program program;

  private ResponseRule(CelRuntime.Program program) {
    this.program = program;
  }

  /** What an expression says of an answer. */
  enum Verdict {
    YES,
    NO,
    /** It could not be evaluated: the answer is not of the shape the expression expects. */
    CANNOT_TELL
  }

  /** The expression is wrong. The message is for people, in one line. */
  static final class WrongExpression extends Exception {
    private static final long serialVersionUID = 1;

    WrongExpression(String message) {
      super(message);
    }
  }

  static ResponseRule compile(String expression) throws WrongExpression {
    try {
      return new ResponseRule(RUNTIME.createProgram(COMPILER.compile(expression).getAst()));
    } catch (CelValidationException e) {
      throw new WrongExpression(
          e.getErrors().stream()
              .map(
                  issue ->
                      "column %d: %s"
                          .formatted(issue.getSourceLocation().getColumn() + 1, issue.getMessage()))
              .reduce((first, second) -> first + "; " + second)
              .orElseGet(() -> Messages.of(e)));
    } catch (CelEvaluationException e) {
      throw new WrongExpression(Messages.of(e));
    }
  }

  Verdict judge(HttpAnswer answer) {
    var variables = new LinkedHashMap<String, Object>();
    variables.put("response.status", (long) answer.status());
    variables.put("response.headers", answer.headers());
    // Of a body that was not read to its end nothing is said: a rule that asks for it cannot tell.
    if (!answer.tooLarge()) {
      variables.put(
          "response.body", answer.json().map(ResponseRule::value).orElseGet(answer::body));
    }
    try {
      return program.eval(variables) instanceof Boolean yes
          ? yes ? Verdict.YES : Verdict.NO
          : Verdict.CANNOT_TELL;
    } catch (CelEvaluationException e) {
      return Verdict.CANNOT_TELL;
    }
  }

  /** JSON as CEL sees it; whole numbers that fit are ints. */
  private static Object value(JsonNode node) {
    return switch (node.getNodeType()) {
      case OBJECT -> {
        Map<String, Object> fields = new LinkedHashMap<>();
        node.properties().forEach(field -> fields.put(field.getKey(), value(field.getValue())));
        yield fields;
      }
      case ARRAY -> {
        var items = new ArrayList<>();
        node.forEach(item -> items.add(value(item)));
        yield items;
      }
      case NUMBER ->
          node.isIntegralNumber() && node.canConvertToLong()
              ? node.longValue()
              : node.doubleValue();
      case BOOLEAN -> node.booleanValue();
      case STRING -> node.textValue();
      case NULL, MISSING -> NullValue.NULL_VALUE;
      case BINARY, POJO -> node.asText();
    };
  }
}
