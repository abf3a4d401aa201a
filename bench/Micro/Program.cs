// ./orderwright bench micro [--filter *Envelope*]: nanoseconds and allocated bytes per order, without I/O.
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Orderwright.Micro;

// In-process: a generated project per benchmark would not build under our settings.
var config = ManualConfig.CreateEmpty()
    .AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance))
    .AddColumnProvider(DefaultColumnProviders.Instance)
    .AddLogger(ConsoleLogger.Default)
    .WithArtifactsPath(Path.Combine(Path.GetTempPath(), "orderwright-micro"));
BenchmarkSwitcher.FromTypes([typeof(SagaCore), typeof(Envelope), typeof(StockDecision)])
    .Run(args is [] ? ["--filter", "*"] : args, config);
