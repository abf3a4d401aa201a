using Orderwright.EndToEnd;
using Orderwright.EndToEnd.Release;
using Xunit.MicrosoftTestingPlatform;

// A suite like any other, and a command: `write-release-data` writes the databases of the current release (tests/Fixtures).
if (args is not ["write-release-data", ..])
    return await TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions);
return await ReleaseWriter.RunAsync(isTrial: args.Contains("--trial"));
