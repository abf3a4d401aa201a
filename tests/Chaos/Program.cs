using System.CommandLine;
using Orderwright.Chaos;
using Orderwright.Chaos.Bounds;
using Orderwright.Chaos.Failover;
using Orderwright.Chaos.Payments;
using Orderwright.Chaos.Restores;
using Orderwright.Chaos.Rounds;
using Xunit.MicrosoftTestingPlatform;

// ./orderwright chaos and its siblings; any other argument goes to the test runner, as in every suite.
Command[] verbs =
[
    ChaosRun.Command(), RoundsRun.Command(), BoundsRun.Command(), PaymentsRun.Command(), FailoverRun.Command(),
    RestoresRun.Command(),
];
if (verbs.All(verb => args.FirstOrDefault() != verb.Name))
    return await TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions);
var root = new RootCommand("Trials of the running product that take minutes to hours.");
foreach (var verb in verbs) root.Add(verb);
return await root.Parse(args).InvokeAsync(new InvocationConfiguration
{
    // After Ctrl+C, faults are healed, the result is checked and the processes stop.
    ProcessTerminationTimeout = TimeSpan.FromMinutes(5),
});
