package dev.andon.operator.metrics;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.FileDescriptorMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.lang.management.MemoryUsage;
import java.util.List;

/** Shows what the process uses: what a leak would be seen by. */
public final class ProcessMeters {
  private ProcessMeters() {}

  public static void bindTo(MeterRegistry registry) {
    new JvmMemoryMetrics().bindTo(registry);
    new JvmThreadMetrics().bindTo(registry);
    new ProcessorMetrics().bindTo(registry);
    new FileDescriptorMetrics().bindTo(registry);
    List<MemoryPoolMXBean> heap =
        ManagementFactory.getMemoryPoolMXBeans().stream()
            .filter(pool -> pool.getType() == MemoryType.HEAP)
            .toList();
    // Under the name that Micrometer has for it, whose own binder listens to every collection.
    Gauge.builder("jvm.gc.live.data.size", () -> live(heap))
        .description("What the last full garbage collection left")
        .baseUnit("bytes")
        .register(registry);
  }

  private static double live(List<MemoryPoolMXBean> heap) {
    double live = 0;
    for (MemoryPoolMXBean pool : heap) {
      MemoryUsage left = pool.getCollectionUsage();
      live += left == null ? 0 : left.getUsed();
    }
    return live;
  }
}
