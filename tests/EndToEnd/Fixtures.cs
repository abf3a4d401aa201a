using Orderwright.EndToEnd;

[assembly: AssemblyFixture(typeof(SharedHttpHost))]
