using System.CommandLine;
using Orderwright.Fuzz;
using Xunit.MicrosoftTestingPlatform;

// ./orderwright fuzz and the process that afl-fuzz drives; any other argument goes to the test runner, as in every suite.
switch (args)
{
    case ["fuzz", ..]:
        var root = new RootCommand("Fuzzing of the readers of foreign input.");
        root.Add(FuzzRun.Command());
        return await root.Parse(args).InvokeAsync();

    case ["target", var name]:
        SharpFuzz.Fuzzer.OutOfProcess.Run(FuzzTarget.Named(name).Run);
        return 0;

    default:
        return await TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions);
}
