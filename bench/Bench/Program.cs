using System.CommandLine;
using Orderwright.Bench;

// After Ctrl+C, services and servers still have to shut down.
return await BenchCommand.Create().Parse(args).InvokeAsync(
    new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromMinutes(1) });
